package org.nni4j.compression;

import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.compression.PlacedQuantizers.Place;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.placement.PlannedFold;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizedType;

/** Holds a calibration against a plan: every difference is a problem. */
final class CalibrationCheck {

    private final QuantizationAlgorithm algorithm;
    private final QuantizationPlan plan;
    private final Function<QuantizationPoint, Optional<Shape>> weightShape;
    private final List<ConfigProblem> problems = new ArrayList<>();

    /**
     * Checks against a plan.
     *
     * @param weightShape finds the shape of a weight; empty if it is not initialized
     */
    CalibrationCheck(
            QuantizationAlgorithm algorithm,
            QuantizationPlan plan,
            Function<QuantizationPoint, Optional<Shape>> weightShape) {
        this.algorithm = algorithm;
        this.plan = plan;
        this.weightShape = weightShape;
    }

    List<ConfigProblem> problems(CalibrationConfig calibration) {
        if (!calibration.algorithm().equals(plan.algorithm())) {
            add(
                    "algorithm",
                    "\""
                            + calibration.algorithm()
                            + "\" made this calibration; expected \""
                            + plan.algorithm()
                            + "\"");
        }
        Map<String, PlannedLayer> planned = new LinkedHashMap<>();
        plan.quantizedLayers().forEach(p -> planned.put(p.path(), p));
        for (CalibratedLayer layer : calibration.layers()) {
            PlannedLayer p = planned.remove(layer.path());
            if (p == null) {
                add(at(layer.path()), "this network quantizes no layer of that name");
            } else {
                check(p, layer);
            }
        }
        planned.keySet().forEach(path -> add(at(path), "is missing"));
        return problems;
    }

    private void add(String path, String message) {
        problems.add(new ConfigProblem(path, message));
    }

    private static String at(String path) {
        return "layers[\"" + path + "\"]";
    }

    /** Where a tensor stands in a calibration, for messages. */
    static String at(Place place) {
        return at(place.layer()) + "." + place.type().key() + "[\"" + place.tensor() + "\"]";
    }

    private void check(PlannedLayer planned, CalibratedLayer layer) {
        if (!planned.type().equals(layer.type())) {
            add(
                    at(layer.path()) + ".type",
                    "\"" + layer.type() + "\"; expected \"" + planned.type() + "\"");
        }
        checkFold(layer);
        Set<String> seen = new HashSet<>();
        for (CalibratedTensor tensor : layer.tensors()) {
            String where = at(new Place(layer.path(), tensor.quantType(), tensor.tensor()));
            if (!seen.add(where)) {
                add(where, "is given twice");
            } else {
                check(planned, tensor, where);
            }
        }
        for (QuantType type : QuantType.values()) {
            checkComplete(planned, layer, type);
        }
    }

    /** A folded weight has another range than the layer's own. */
    private void checkFold(CalibratedLayer layer) {
        String planned = plan.foldInto(layer.path()).map(PlannedFold::batchNorm).orElse("");
        if (!planned.equals(layer.foldedBatchNorm())) {
            add(
                    at(layer.path()) + ".folded_batch_norm",
                    named(layer.foldedBatchNorm())
                            + " was folded into it; expected "
                            + named(planned));
        }
    }

    private static String named(String batchNorm) {
        return batchNorm.isEmpty() ? "nothing" : "\"" + batchNorm + "\"";
    }

    private void check(PlannedLayer planned, CalibratedTensor tensor, String where) {
        planned.point(tensor.quantType(), tensor.tensor())
                .ifPresentOrElse(
                        point -> check(point, tensor.calibration(), where),
                        () -> add(where, "is not quantized in this network"));
    }

    private void check(QuantizationPoint point, TensorCalibration c, String where) {
        if (!algorithm.hasCalibration(point)) {
            add(where, "is left in float by this network's quantization; expected no calibration");
            return;
        }
        QuantizedType type = algorithm.calibratedType(point);
        if (!c.type().equals(type) || c.scheme() != point.scheme()) {
            add(
                    where,
                    c.type()
                            + " "
                            + c.scheme().key()
                            + " does not fit; expected "
                            + type
                            + " "
                            + point.scheme().key());
        } else if (point.quantType() == QuantType.WEIGHT) {
            weightShape.apply(point).ifPresent(shape -> checkChannels(point, c, shape, where));
        }
    }

    private void checkChannels(
            QuantizationPoint point, TensorCalibration c, Shape shape, String where) {
        int axis = point.axis(shape);
        long channels = axis == QuantizationParameters.PER_TENSOR ? 1 : shape.get(axis);
        int given = c.parameters().scale().length;
        if (c.parameters().axis() != axis || given != channels) {
            add(
                    where,
                    given
                            + " scales along axis "
                            + c.parameters().axis()
                            + " do not fit shape "
                            + shape
                            + "; expected "
                            + channels
                            + " along axis "
                            + axis);
        }
    }

    private void checkComplete(PlannedLayer planned, CalibratedLayer layer, QuantType type) {
        if (type == QuantType.WEIGHT) {
            for (QuantizationPoint point : planned.points(type)) {
                if (layer.tensor(type, point.tensor()).isEmpty()) {
                    add(at(new Place(layer.path(), type, point.tensor())), "is missing");
                }
            }
            return;
        }
        boolean given = layer.tensors().stream().anyMatch(t -> t.quantType() == type);
        boolean expected = planned.points(type).stream().anyMatch(algorithm::hasCalibration);
        if (expected && !given && !layer.unobserved().contains(type)) {
            add(at(layer.path()) + "." + type.key(), "is missing");
        }
    }
}
