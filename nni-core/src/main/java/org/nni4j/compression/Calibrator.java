package org.nni4j.compression;

import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizedLayer;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/** Reads the calibration out of a network's quantizers, and puts one back in. */
final class Calibrator {

    private final QuantizationPlan plan;
    private final Map<String, QuantizedLayer> layers;

    Calibrator(QuantizationPlan plan, Map<String, QuantizedLayer> layers) {
        this.plan = plan;
        this.layers = layers;
    }

    CalibrationConfig calibration() {
        List<CalibratedLayer> calibrated = new ArrayList<>();
        for (PlannedLayer planned : plan.quantizedLayers()) {
            List<CalibratedTensor> tensors = new ArrayList<>();
            for (QuantType type : QuantType.values()) {
                quantizers(planned, type)
                        .forEach(
                                (tensor, quantizer) ->
                                        quantizer
                                                .calibration()
                                                .ifPresent(
                                                        c ->
                                                                tensors.add(
                                                                        new CalibratedTensor(
                                                                                type, tensor, c))));
            }
            calibrated.add(new CalibratedLayer(planned.path(), planned.type(), "", tensors));
        }
        return new CalibrationConfig(plan.algorithm(), calibrated);
    }

    private Map<String, TensorQuantizer> quantizers(PlannedLayer planned, QuantType type) {
        QuantizedLayer layer = layer(planned);
        Map<String, TensorQuantizer> result = new LinkedHashMap<>();
        switch (type) {
            case WEIGHT -> {
                List<QuantizationPoint> points = planned.points(QuantType.WEIGHT);
                int i = 0;
                for (Map.Entry<Parameter, TensorQuantizer> e : layer.weightQuantizers().entrySet()) {
                    result.put(points.get(i++).tensor(), e.getValue());
                }
            }
            case INPUT -> layer.inputQuantizers().forEach((i, q) -> result.put(i.toString(), q));
            case OUTPUT -> layer.outputQuantizers().forEach((i, q) -> result.put(i.toString(), q));
        }
        return result;
    }

    private QuantizedLayer layer(PlannedLayer planned) {
        QuantizedLayer layer = layers.get(planned.path());
        if (layer == null) {
            throw new IllegalStateException("layer \"" + planned.path() + "\" is not attached");
        }
        return layer;
    }

    void load(CalibrationConfig calibration) {
        List<ConfigProblem> problems = new ArrayList<>();
        if (!calibration.algorithm().equals(plan.algorithm())) {
            problems.add(
                    new ConfigProblem(
                            "algorithm",
                            "\""
                                    + calibration.algorithm()
                                    + "\" made this calibration; expected \""
                                    + plan.algorithm()
                                    + "\""));
        }
        Map<String, PlannedLayer> planned = new LinkedHashMap<>();
        plan.quantizedLayers().forEach(p -> planned.put(p.path(), p));
        for (CalibratedLayer layer : calibration.layers()) {
            PlannedLayer p = planned.remove(layer.path());
            if (p == null) {
                problems.add(
                        new ConfigProblem(
                                at(layer.path()), "this network quantizes no layer of that name"));
            } else {
                check(p, layer, problems);
            }
        }
        planned.keySet().forEach(path -> problems.add(new ConfigProblem(at(path), "is missing")));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        calibration.layers().forEach(this::restore);
    }

    private static String at(String path) {
        return "layers[\"" + path + "\"]";
    }

    private static void check(
            PlannedLayer planned, CalibratedLayer layer, List<ConfigProblem> problems) {
        for (CalibratedTensor tensor : layer.tensors()) {
            String where = at(layer.path()) + "." + tensor.quantType().key() + "." + tensor.tensor();
            QuantizationPoint point = point(planned, tensor);
            if (point == null) {
                problems.add(new ConfigProblem(where, "is not quantized in this network"));
                continue;
            }
            TensorCalibration c = tensor.calibration();
            if (!c.type().equals(point.type()) || c.scheme() != point.scheme()) {
                problems.add(
                        new ConfigProblem(
                                where,
                                c.type()
                                        + " "
                                        + c.scheme().key()
                                        + " does not fit; expected "
                                        + point.type()
                                        + " "
                                        + point.scheme().key()));
            }
        }
        for (QuantizationPoint point : planned.points(QuantType.WEIGHT)) {
            if (layer.tensor(QuantType.WEIGHT, point.tensor()).isEmpty()) {
                problems.add(
                        new ConfigProblem(
                                at(layer.path()) + ".weight." + point.tensor(), "is missing"));
            }
        }
    }

    private static @Nullable QuantizationPoint point(
            PlannedLayer planned, CalibratedTensor tensor) {
        return planned.points(tensor.quantType()).stream()
                .filter(
                        p ->
                                tensor.quantType() != QuantType.WEIGHT
                                        || p.tensor().equals(tensor.tensor()))
                .findFirst()
                .orElse(null);
    }

    private void restore(CalibratedLayer calibrated) {
        QuantizedLayer layer = layers.get(calibrated.path());
        if (layer == null) {
            throw new IllegalStateException("layer \"" + calibrated.path() + "\" is not attached");
        }
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
            if (quantizer != null) {
                quantizer.restore(tensor.calibration());
            }
        }
    }
}
