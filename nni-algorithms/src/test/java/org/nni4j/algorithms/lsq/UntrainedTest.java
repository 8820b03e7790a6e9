package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationScheme;

/** What a network is before its first training step, and that looking at it changes nothing. */
class UntrainedTest {

    private static final float[] PICTURES = Networks.random(Networks.SMALL, 3);

    @TempDir Path folder;

    private static LsqQuantizer quantizer(Model model, QuantizationScheme scheme, int startStep) {
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of("weight", "input"),
                        "quant_bits", 3,
                        "quant_scheme", scheme.key(),
                        "quant_start_step", startStep,
                        "op_types", List.of("Conv2d", "Linear"));
        return new LsqQuantizer(model, List.of(entry), Networks.sgd(.1f));
    }

    private static float[] evaluate(Model model) {
        return Networks.evaluate(model, PICTURES, Networks.SMALL);
    }

    @ParameterizedTest
    @EnumSource(QuantizationScheme.class)
    void calibration_ofAnUntrainedNetwork_leavesItsOutputs(QuantizationScheme scheme) {
        try (Model model = Networks.smallModel(1);
                LsqQuantizer quantizer = quantizer(model, scheme, 0)) {
            float[] plain = evaluate(model);
            quantizer.compress();
            float[] before = evaluate(model);
            assertThat(quantizer.calibration().layers())
                    .allSatisfy(layer -> assertThat(layer.tensors()).hasSize(1));
            assertThat(evaluate(model)).isEqualTo(before).isNotEqualTo(plain);
        }
    }

    @ParameterizedTest
    @EnumSource(QuantizationScheme.class)
    void calibration_beforeTheStartStep_leavesTrainingAlone(QuantizationScheme scheme) {
        Map<String, float[]> unseen = new LinkedHashMap<>();
        CalibrationConfig expected = train(scheme, false, unseen);
        Map<String, float[]> seen = new LinkedHashMap<>();
        assertThat(train(scheme, true, seen)).isEqualTo(expected);
        unseen.forEach((name, values) -> assertThat(seen.get(name)).as(name).isEqualTo(values));
    }

    /** Trains past the start step, and may ask for a calibration at each step before it. */
    private static CalibrationConfig train(
            QuantizationScheme scheme, boolean looking, Map<String, float[]> trained) {
        try (Model model = Networks.smallModel(2);
                LsqQuantizer quantizer = quantizer(model, scheme, 4)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                for (int step = 1; step <= 6; step++) {
                    if (looking && step < 4) {
                        quantizer.calibration();
                    }
                    Networks.step(trainer, Networks.SMALL, 3, step);
                }
            }
            trained.putAll(Networks.values(model.getBlock()));
            return quantizer.calibration();
        }
    }

    @ParameterizedTest
    @EnumSource(QuantizationScheme.class)
    void exportModel_ofAnUntrainedNetwork_loadsToTheSameBits(QuantizationScheme scheme)
            throws IOException {
        Path file = folder.resolve("calibration.json");
        try (Model model = Networks.smallModel(1);
                Model fresh = Networks.smallModel(2);
                LsqQuantizer quantizer = quantizer(model, scheme, 0);
                LsqQuantizer loaded = quantizer(fresh, scheme, 0)) {
            quantizer.compress();
            final float[] expected = evaluate(model);
            quantizer.exportModel(folder.resolve("net"), file);
            Networks.values(model.getBlock())
                    .forEach(
                            (name, values) ->
                                    Networks.set(
                                            fresh.getBlock().getParameters().get(name), values));
            loaded.compress();
            loaded.loadCalibration(file);
            assertThat(evaluate(fresh)).isEqualTo(expected);
            assertThat(loaded.calibration().layers()).isEqualTo(quantizer.calibration().layers());
        }
    }

    /** Exporters take the weight from one and its scale from the other. */
    @ParameterizedTest
    @EnumSource(QuantizationScheme.class)
    void inspectedWeight_ofAnUntrainedNetwork_isOnTheCalibrationsGrid(QuantizationScheme scheme) {
        try (Model model = Networks.smallModel(1);
                LsqQuantizer quantizer = quantizer(model, scheme, 0);
                NDManager scope = NDManager.newBaseManager()) {
            quantizer.compress();
            TensorCalibration calibration = weight(quantizer);
            float[] values =
                    quantizer
                            .inspect()
                            .quantizedWeight("01Conv2d", "weight", scope)
                            .orElseThrow()
                            .toFloatArray();
            float[] scale = calibration.parameters().scale();
            for (int i = 0; i < values.length; i++) {
                float s = scale[i / (values.length / scale.length)];
                // a multiple of the step, computed as such
                assertThat(values[i]).isEqualTo((float) Math.rint(values[i] / s) * s);
            }
        }
    }

    private static TensorCalibration weight(LsqQuantizer quantizer) {
        return quantizer
                .calibration()
                .layers()
                .get(0)
                .tensor(QuantType.WEIGHT, "weight")
                .orElseThrow();
    }

    /** The evaluated weight is remembered, but not longer than it is that of the network. */
    @ParameterizedTest
    @EnumSource(QuantizationScheme.class)
    void evaluate_afterGoingBackToNoStepSizes_followsTheWeightAgain(QuantizationScheme scheme)
            throws IOException {
        try (Model model = Networks.smallModel(1);
                LsqQuantizer quantizer = quantizer(model, scheme, 0)) {
            quantizer.compress();
            float[] before = evaluate(model);
            quantizer.saveCheckpoint(folder.resolve("net"));
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                Networks.step(trainer, Networks.SMALL, 3, 1);
                assertThat(evaluate(model)).isNotEqualTo(before);
                quantizer.loadCheckpoint(folder.resolve("net"));
                assertThat(evaluate(model)).isEqualTo(before);
            }
            float[] doubled =
                    Objects.requireNonNull(Networks.values(model.getBlock()).get("01Conv2d_weight"))
                            .clone();
            for (int i = 0; i < doubled.length; i++) {
                doubled[i] *= 2;
            }
            float scale = weight(quantizer).parameters().scale()[0];
            Networks.set(model.getBlock().getParameters().get("01Conv2d_weight"), doubled);
            assertThat(weight(quantizer).parameters().scale()[0]).isEqualTo(2 * scale);
            assertThat(evaluate(model)).isNotEqualTo(before);
        }
    }

    /** A weight of zeros says nothing: it stays as it is, and has no calibration. */
    @Test
    void calibration_ofAWeightOfZeros_isEmpty() {
        QuantizationScheme scheme = QuantizationScheme.PER_TENSOR_SYMMETRIC;
        try (Model model = Networks.smallModel(1);
                LsqQuantizer quantizer = quantizer(model, scheme, 0)) {
            Networks.set(model.getBlock().getParameters().get("01Conv2d_weight"), new float[18]);
            quantizer.compress();
            assertThat(quantizer.calibration().layers().get(0).tensors()).isEmpty();
        }
    }
}
