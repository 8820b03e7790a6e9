package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/** Step sizes of several channels, saved and loaded. */
class PerChannelCheckpointTest {

    @TempDir Path folder;

    /** Inputs of a linear layer have their features last, those of a convolution at axis 1. */
    @ParameterizedTest
    @EnumSource(
            value = QuantizationScheme.class,
            names = {"PER_CHANNEL_SYMMETRIC", "PER_CHANNEL_AFFINE"})
    void exportModel_rightAfterLoadCheckpoint_writesTheSameCalibration(QuantizationScheme scheme)
            throws IOException {
        try (Model model = Networks.smallModel(1);
                Model fresh = Networks.smallModel(2);
                LsqQuantizer quantizer = quantizer(model, scheme);
                LsqQuantizer resumed = quantizer(fresh, scheme)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                Networks.step(trainer, Networks.SMALL, 3, 1);
            }
            quantizer.saveCheckpoint(folder.resolve("net"));
            resumed.compress();
            resumed.loadCheckpoint(folder.resolve("net"));
            Path file = folder.resolve("calibration.json");
            resumed.exportModel(folder.resolve("exported"), file);
            assertThat(CalibrationConfig.read(file).layers())
                    .isEqualTo(quantizer.calibration().layers());
        }
    }

    private static LsqQuantizer quantizer(Model model, QuantizationScheme scheme) {
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of("weight", "input", "output"),
                        "quant_bits", 4,
                        "quant_scheme", scheme.key(),
                        "op_types", List.of("Conv2d", "Linear"));
        return new LsqQuantizer(model, List.of(entry), Networks.sgd(.01f));
    }

    private static final Map<String, float[]> SAVED =
            Map.of("step_size", new float[] {1, 2, 3}, "zero_point", new float[] {4, 5, 6});

    @ParameterizedTest
    @EnumSource(
            value = QuantizationScheme.class,
            names = {"PER_CHANNEL_SYMMETRIC", "PER_CHANNEL_AFFINE"})
    void load_ofAStateWithoutAxis_takesThePoints(QuantizationScheme scheme) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(scheme, manager)) {
            quantizer.load(new QuantizerState(SAVED, Map.of("signed", 1L)));
            assertThat(quantizer.calibration().orElseThrow().parameters().axis()).isOne();
            assertThat(Points.evaluate(quantizer, new float[6], new Shape(2, 3)))
                    .containsExactly(0, 0, 0, 0, 0, 0);
        }
    }

    @Test
    void load_ofAnImpossibleAxis_throws() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        quantizer(QuantizationScheme.PER_CHANNEL_SYMMETRIC, manager)) {
            QuantizerState state =
                    new QuantizerState(SAVED, Map.of("signed", 1L, "axis", 1L << 40));
            assertThatThrownBy(() -> quantizer.load(state))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "layer \"layer\" (Linear), input 0: quantizer state \"axis\" is"
                                    + " 1099511627776; expected an axis");
            assertThat(quantizer.calibration()).isEmpty();
        }
    }

    private static TensorQuantizer quantizer(QuantizationScheme scheme, NDManager manager) {
        return Points.quantizer(
                "lsq",
                Points.point(QuantType.INPUT, 4, QuantizationDtype.UINT, scheme, Map.of()),
                manager);
    }
}
