package org.nni4j.compression;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.compression.PlacedQuantizers.Place;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.StepClock;
import org.nni4j.placement.PlannedLayer;

/**
 * Reads the calibration out of a network's quantizers, and puts one back in.
 *
 * @param algorithm theirs
 * @param quantizers the network's
 * @param clock the steps
 */
record Calibrator(QuantizationAlgorithm algorithm, PlacedQuantizers quantizers, StepClock clock) {

    CalibrationConfig calibration() {
        return new CalibrationConfig(
                quantizers.plan().algorithm(),
                clock.step(),
                quantizers.plan().quantizedLayers().stream().map(this::calibrated).toList());
    }

    private CalibratedLayer calibrated(PlannedLayer planned) {
        List<CalibratedTensor> tensors = new ArrayList<>();
        Set<QuantType> unobserved = EnumSet.noneOf(QuantType.class);
        for (QuantType type : QuantType.values()) {
            int before = tensors.size();
            quantizers
                    .of(planned, type)
                    .forEach(
                            (tensor, quantizer) ->
                                    quantizer
                                            .calibration()
                                            .map(c -> new CalibratedTensor(type, tensor, c))
                                            .ifPresent(tensors::add));
            boolean any = planned.points(type).stream().anyMatch(algorithm::hasCalibration);
            if (any && tensors.size() == before) {
                unobserved.add(type);
            }
        }
        return new CalibratedLayer(
                planned.path(),
                planned.type(),
                quantizers.layer(planned.path()).foldedBatchNorm(),
                tensors,
                unobserved);
    }

    /**
     * Takes a calibration over. Inputs and outputs that it does not name are as if they had seen no
     * data.
     *
     * @throws ConfigException naming every difference, or the first tensor whose quantizer cannot
     *     take its calibration; then nothing is changed
     */
    void load(CalibrationConfig calibration) {
        List<ConfigProblem> problems =
                new CalibrationCheck(algorithm, quantizers.plan(), this::shape)
                        .problems(calibration);
        if (!problems.isEmpty()) {
            throw new ConfigException("calibration", problems);
        }
        QuantizerStates states = new QuantizerStates(quantizers);
        List<SavedQuantizer> before = states.all();
        try {
            restore(calibration);
        } catch (RuntimeException e) {
            states.load(before);
            throw e;
        }
        clock.resume(calibration.step() - 1);
    }

    private Optional<Shape> shape(QuantizationPoint weight) {
        return quantizers.layer(weight.layer()).weightQuantizers().keySet().stream()
                .filter(parameter -> parameter.getName().equals(weight.tensor()))
                .findFirst()
                .filter(Parameter::isInitialized)
                .map(parameter -> parameter.getArray().getShape());
    }

    private void restore(CalibrationConfig calibration) {
        Set<Place> places = new HashSet<>();
        for (CalibratedLayer layer : calibration.layers()) {
            for (CalibratedTensor tensor : layer.tensors()) {
                Place place = new Place(layer.path(), tensor.quantType(), tensor.tensor());
                places.add(place);
                restore(place, tensor);
            }
        }
        quantizers.keepOnly(places);
    }

    /** What only the algorithm knows about its calibrations, it says here. */
    private void restore(Place place, CalibratedTensor tensor) {
        try {
            quantizers.at(place).restore(tensor.calibration());
        } catch (RuntimeException e) {
            ConfigException refused =
                    new ConfigException(
                            "calibration",
                            List.of(
                                    new ConfigProblem(
                                            CalibrationCheck.at(place),
                                            String.valueOf(e.getMessage()))));
            refused.initCause(e);
            throw refused;
        }
    }
}
