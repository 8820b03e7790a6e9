package org.nni4j.compression;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.Quantized;
import org.nni4j.fakequant.StepClock;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/** Reads the calibration out of a network's quantizers, and puts one back in. */
final class Calibrator {

    private final QuantizationAlgorithm algorithm;
    private final QuantizationPlan plan;
    private final Map<String, Quantized> layers;
    private final StepClock clock;

    Calibrator(
            QuantizationAlgorithm algorithm,
            QuantizationPlan plan,
            Map<String, Quantized> layers,
            StepClock clock) {
        this.algorithm = algorithm;
        this.plan = plan;
        this.layers = layers;
        this.clock = clock;
    }

    CalibrationConfig calibration() {
        return new CalibrationConfig(
                plan.algorithm(),
                clock.step(),
                plan.quantizedLayers().stream().map(this::calibrated).toList());
    }

    private CalibratedLayer calibrated(PlannedLayer planned) {
        List<CalibratedTensor> tensors = new ArrayList<>();
        Set<QuantType> unobserved = EnumSet.noneOf(QuantType.class);
        for (QuantType type : QuantType.values()) {
            int before = tensors.size();
            quantizers(planned, type)
                    .forEach(
                            (tensor, quantizer) ->
                                    quantizer
                                            .calibration()
                                            .map(c -> new CalibratedTensor(type, tensor, c))
                                            .ifPresent(tensors::add));
            if (!planned.points(type).isEmpty() && tensors.size() == before) {
                unobserved.add(type);
            }
        }
        return new CalibratedLayer(
                planned.path(),
                planned.type(),
                attached(planned.path()).foldedBatchNorm(),
                tensors,
                unobserved);
    }

    private Map<String, TensorQuantizer> quantizers(PlannedLayer planned, QuantType type) {
        Quantized layer = attached(planned.path());
        Map<String, TensorQuantizer> result = new LinkedHashMap<>();
        switch (type) {
            case WEIGHT -> {
                Iterator<QuantizationPoint> points = planned.points(type).iterator();
                layer.weightQuantizers()
                        .values()
                        .forEach(quantizer -> result.put(points.next().tensor(), quantizer));
            }
            case INPUT -> layer.inputQuantizers().forEach((i, q) -> result.put(i.toString(), q));
            case OUTPUT -> layer.outputQuantizers().forEach((i, q) -> result.put(i.toString(), q));
        }
        return result;
    }

    private Quantized attached(String path) {
        Quantized layer = layers.get(path);
        if (layer == null) {
            throw new IllegalStateException("layer \"" + path + "\" is not attached");
        }
        return layer;
    }

    void load(CalibrationConfig calibration) {
        List<ConfigProblem> problems =
                new CalibrationCheck(algorithm, plan, this::shape).problems(calibration);
        if (!problems.isEmpty()) {
            throw new ConfigException("calibration", problems);
        }
        calibration.layers().forEach(this::restore);
        clock.resume(calibration.step() - 1);
    }

    TrainingState state() {
        List<TrainingState.Tensor> tensors = new ArrayList<>();
        for (PlannedLayer planned : plan.quantizedLayers()) {
            for (QuantType type : QuantType.values()) {
                quantizers(planned, type)
                        .forEach(
                                (tensor, quantizer) ->
                                        tensors.add(
                                                new TrainingState.Tensor(
                                                        planned.path(),
                                                        type,
                                                        tensor,
                                                        quantizer.state())));
            }
        }
        return new TrainingState(plan.algorithm(), clock.step(), tensors);
    }

    /**
     * Goes back to a state.
     *
     * @throws IllegalArgumentException if it is not of a network quantized alike; then nothing is
     *     changed, unless a single quantizer's state is damaged
     */
    void load(TrainingState state) {
        if (!state.algorithm().equals(plan.algorithm())) {
            throw new IllegalArgumentException(
                    "state of algorithm \""
                            + state.algorithm()
                            + "\"; expected \""
                            + plan.algorithm()
                            + "\"");
        }
        Map<TrainingState.Tensor, TensorQuantizer> found = new LinkedHashMap<>();
        for (TrainingState.Tensor tensor : state.tensors()) {
            found.put(tensor, quantizer(tensor));
        }
        for (PlannedLayer planned : plan.quantizedLayers()) {
            for (QuantizationPoint point : planned.points(QuantType.WEIGHT)) {
                if (state.tensors().stream().noneMatch(t -> isOf(point, t))) {
                    throw new IllegalArgumentException(point + ": is missing in the state");
                }
            }
        }
        found.forEach((tensor, quantizer) -> quantizer.load(tensor.state()));
        clock.resume(state.step() - 1);
    }

    private static boolean isOf(QuantizationPoint point, TrainingState.Tensor tensor) {
        return point.layer().equals(tensor.layer())
                && point.quantType() == tensor.type()
                && point.tensor().equals(tensor.tensor());
    }

    private TensorQuantizer quantizer(TrainingState.Tensor tensor) {
        PlannedLayer planned =
                plan.quantizedLayers().stream()
                        .filter(p -> p.path().equals(tensor.layer()))
                        .filter(p -> !p.points(tensor.type()).isEmpty())
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                tensor + ": is not quantized in this network"));
        if (tensor.type() == QuantType.WEIGHT) {
            TensorQuantizer weight = quantizers(planned, tensor.type()).get(tensor.tensor());
            if (weight == null) {
                throw new IllegalArgumentException(tensor + ": is not quantized in this network");
            }
            return weight;
        }
        int position = Integer.parseInt(tensor.tensor());
        Quantized layer = attached(tensor.layer());
        return tensor.type() == QuantType.INPUT
                ? layer.inputQuantizer(position)
                : layer.outputQuantizer(position);
    }

    private Optional<Shape> shape(QuantizationPoint weight) {
        return attached(weight.layer()).weightQuantizers().keySet().stream()
                .filter(parameter -> parameter.getName().equals(weight.tensor()))
                .findFirst()
                .filter(Parameter::isInitialized)
                .map(parameter -> parameter.getArray().getShape());
    }

    private void restore(CalibratedLayer calibrated) {
        Quantized layer = attached(calibrated.path());
        PlannedLayer planned =
                plan.quantizedLayers().stream()
                        .filter(p -> p.path().equals(calibrated.path()))
                        .findFirst()
                        .orElseThrow();
        Map<String, TensorQuantizer> weights = quantizers(planned, QuantType.WEIGHT);
        for (CalibratedTensor tensor : calibrated.tensors()) {
            TensorQuantizer quantizer =
                    switch (tensor.quantType()) {
                        case WEIGHT -> weights.get(tensor.tensor());
                        case INPUT -> layer.inputQuantizer(Integer.parseInt(tensor.tensor()));
                        case OUTPUT -> layer.outputQuantizer(Integer.parseInt(tensor.tensor()));
                    };
            if (quantizer == null) {
                throw new IllegalStateException("unchecked calibration of " + tensor);
            }
            quantizer.restore(tensor.calibration());
        }
    }
}
