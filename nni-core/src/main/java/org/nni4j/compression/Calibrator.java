package org.nni4j.compression;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
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

    /** The state of each quantizer there is. */
    List<SavedQuantizer> states() {
        List<SavedQuantizer> states = new ArrayList<>();
        forEach(
                (place, quantizer) ->
                        states.add(
                                new SavedQuantizer(
                                        place.layer(),
                                        place.type(),
                                        place.tensor(),
                                        quantizer.state())));
        return states;
    }

    /**
     * Where a quantizer sits.
     *
     * @param layer the layer's path
     * @param type weight, input or output
     * @param tensor the parameter's name, or the position
     */
    record Place(String layer, QuantType type, String tensor) {}

    /** Visits each quantizer there is, in the network's order. */
    void forEach(BiConsumer<Place, TensorQuantizer> visitor) {
        for (PlannedLayer planned : plan.quantizedLayers()) {
            for (QuantType type : QuantType.values()) {
                quantizers(planned, type)
                        .forEach(
                                (tensor, quantizer) ->
                                        visitor.accept(
                                                new Place(planned.path(), type, tensor),
                                                quantizer));
            }
        }
    }

    /** Compares states with the plan: a line for each that is missing, or not quantized here. */
    List<String> differences(List<SavedQuantizer> states) {
        List<String> lines = new ArrayList<>();
        Set<Place> given = new HashSet<>();
        for (SavedQuantizer saved : states) {
            given.add(new Place(saved.layer(), saved.type(), saved.tensor()));
            boolean planned =
                    plan.quantizedLayers().stream()
                            .filter(layer -> layer.path().equals(saved.layer()))
                            .flatMap(layer -> layer.points(saved.type()).stream())
                            .anyMatch(point -> isOf(point, saved));
            if (!planned) {
                lines.add(saved + ": is not quantized in this network");
            }
        }
        for (PlannedLayer layer : plan.quantizedLayers()) {
            for (QuantizationPoint point : layer.points(QuantType.WEIGHT)) {
                if (!given.contains(new Place(layer.path(), QuantType.WEIGHT, point.tensor()))) {
                    lines.add(point + ": is missing in the checkpoint");
                }
            }
        }
        return lines;
    }

    /** The planned point of inputs and outputs stands for all positions. */
    private static boolean isOf(QuantizationPoint point, SavedQuantizer saved) {
        return saved.type() == QuantType.WEIGHT
                ? point.tensor().equals(saved.tensor())
                : saved.tensor().matches("\\d{1,6}");
    }

    /**
     * Goes back to states without {@link #differences}; quantizers that had seen no data then are
     * left as they are.
     *
     * @throws IllegalArgumentException if a state is not what its quantizer wrote; then nothing is
     *     changed
     */
    void load(List<SavedQuantizer> states) {
        List<SavedQuantizer> before = states();
        try {
            apply(states);
        } catch (RuntimeException e) {
            apply(before);
            throw e;
        }
    }

    private void apply(List<SavedQuantizer> states) {
        for (SavedQuantizer saved : states) {
            try {
                quantizer(saved).load(saved.state());
            } catch (RuntimeException e) {
                throw new IllegalArgumentException(saved + ": " + e.getMessage(), e);
            }
        }
    }

    private TensorQuantizer quantizer(SavedQuantizer saved) {
        Quantized layer = attached(saved.layer());
        return switch (saved.type()) {
            case WEIGHT -> weight(saved);
            case INPUT -> layer.inputQuantizer(Integer.parseInt(saved.tensor()));
            case OUTPUT -> layer.outputQuantizer(Integer.parseInt(saved.tensor()));
        };
    }

    private TensorQuantizer weight(SavedQuantizer saved) {
        return plan.quantizedLayers().stream()
                .filter(layer -> layer.path().equals(saved.layer()))
                .map(layer -> quantizers(layer, QuantType.WEIGHT).get(saved.tensor()))
                .findFirst()
                .orElseThrow();
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
