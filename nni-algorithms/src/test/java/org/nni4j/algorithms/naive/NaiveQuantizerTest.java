package org.nni4j.algorithms.naive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Networks.Pass;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigException;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Numbers that NNI 2.10.1 gives, and what it could not do. */
class NaiveQuantizerTest {

    private static final float[][] W = {{-0.9f, 0.25f, 0.4f}, {0.1f, -0.3f, 1.3f}};
    private static final float[] EYE = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    private static final List<Map<String, Object>> WEIGHTS =
            List.of(
                    Map.of(
                            "quant_types", List.of("weight"),
                            "quant_bits", 8,
                            "op_types", List.of("Linear", "Conv2d")));

    /** The quantized weight as (out, in), by feeding the identity; upstream is G = 1..6. */
    private static Pass pass(Model model) {
        return Networks.train(model, EYE, new Shape(3, 3), new float[] {1, 4, 2, 5, 3, 6});
    }

    private static TensorCalibration weight(NaiveQuantizer quantizer) {
        return quantizer
                .calibration()
                .layers()
                .get(0)
                .tensor(QuantType.WEIGHT, "weight")
                .orElseThrow();
    }

    private static Parameter parameter(Model model) {
        return model.getBlock().getParameters().get("01Linear_weight");
    }

    @Test
    void quantize_weight_truncatesToNnisNumbersAndPassesTheGradient() {
        try (Model model = Networks.linear(W);
                NaiveQuantizer quantizer = new NaiveQuantizer(model, WEIGHTS)) {
            quantizer.compress();
            Pass pass = pass(model);
            assertThat(pass.output())
                    .containsExactly(
                            new float[] {
                                -0.89055115f, 0.09212598f, 0.24566929f,
                                -0.29685038f, 0.39921260f, 1.28976381f
                            },
                            within(1e-7f));
            assertThat(pass.gradients().get("01Linear_weight")).containsExactly(1, 2, 3, 4, 5, 6);
            TensorCalibration c = weight(quantizer);
            assertThat(c.parameters().scale()[0]).isCloseTo(0.0102362204f, within(1e-9f));
            assertThat(c.parameters().zeroPoint()).containsExactly(0);
            assertThat(c.type()).isEqualTo(new QuantizedType(8, QuantizationDtype.INT));
            assertThat(c.scheme()).isEqualTo(QuantizationScheme.PER_TENSOR_SYMMETRIC);
        }
    }

    @Test
    void quantize_anyWeight_isAnIntegerTimesTheScaleToTheLastBit() {
        try (Model model = Networks.linear(W);
                NaiveQuantizer quantizer = new NaiveQuantizer(model, WEIGHTS)) {
            quantizer.compress();
            float[] trained = pass(model).output();
            assertThat(Networks.evaluate(model, EYE, new Shape(3, 3))).containsExactly(trained);
            float scale = weight(quantizer).parameters().scale()[0];
            for (float y : trained) {
                assertThat((float) Math.rint(y / scale) * scale).isEqualTo(y);
            }
        }
    }

    @Test
    void train_weightHalved_keepsTheScale() {
        try (Model model = Networks.linear(W);
                NaiveQuantizer quantizer = new NaiveQuantizer(model, WEIGHTS)) {
            quantizer.compress();
            pass(model);
            float scale = weight(quantizer).parameters().scale()[0];
            Networks.set(parameter(model), -0.45f, 0.125f, 0.2f, 0.05f, -0.15f, 0.65f);
            float[] halved = pass(model).output();
            assertThat(weight(quantizer).parameters().scale()).containsExactly(scale);
            // trunc(0.65 / 0.0102362204) = 63
            assertThat(halved[5]).isEqualTo(63 * scale);
            Networks.set(parameter(model), -2.6f, 0, 0, 0, 0, 0);
            pass(model);
            assertThat(weight(quantizer).parameters().scale()).containsExactly(2.6f / 127);
        }
    }

    @Test
    void quantize_zeroWeight_staysZero() {
        try (Model model = Networks.linear(new float[2][3]);
                NaiveQuantizer quantizer = new NaiveQuantizer(model, WEIGHTS)) {
            quantizer.compress();
            assertThat(pass(model).output()).containsOnly(0);
            assertThat(Networks.evaluate(model, EYE, new Shape(3, 3))).containsOnly(0);
            assertThat(weight(quantizer).parameters().scale()[0]).isPositive().isFinite();
        }
    }

    @Test
    void evaluate_beforeAnyTraining_isQuantized() {
        try (Model model = Networks.linear(W);
                NaiveQuantizer quantizer = new NaiveQuantizer(model, WEIGHTS)) {
            quantizer.compress();
            float[] evaluated = Networks.evaluate(model, EYE, new Shape(3, 3));
            assertThat(evaluated).containsExactly(pass(model).output());
        }
    }

    /** NNI's NaiveQuantizer raises NotImplementedError (defect D8). */
    @Test
    void exportModel_naive_writesAndLoadsBack(@TempDir Path folder) throws IOException {
        try (Model model = Networks.linear(W);
                NaiveQuantizer quantizer = new NaiveQuantizer(model, WEIGHTS);
                Model other = Networks.linear(W);
                NaiveQuantizer fresh = new NaiveQuantizer(other, WEIGHTS)) {
            quantizer.compress();
            float[] before = Networks.evaluate(model, EYE, new Shape(3, 3));
            Path file = folder.resolve("naive.json");
            CalibrationConfig written = quantizer.exportModel(folder.resolve("naive"), file);
            assertThat(CalibrationConfig.read(file)).isEqualTo(written);
            fresh.compress();
            fresh.loadCalibration(CalibrationConfig.read(file));
            assertThat(Networks.evaluate(other, EYE, new Shape(3, 3))).containsExactly(before);
        }
    }

    @Test
    void new_whatNaiveCannotDo_isRefusedAltogether() {
        try (Model model = Networks.linear(W)) {
            List<Map<String, Object>> config =
                    List.of(
                            Map.of(
                                    "quant_types", List.of("weight", "input"),
                                    "quant_bits", Map.of("weight", 4, "input", 8),
                                    "op_types", List.of("Linear"),
                                    "quant_start_step", 5,
                                    "quant_dtype", "uint"));
            assertThatThrownBy(() -> new NaiveQuantizer(model, config))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(
                            "config[0].quant_bits.weight: 4 bits is not supported by algorithm"
                                    + " \"naive\"; expected 8")
                    .hasMessageContaining(
                            "config[0].quant_types: \"input\" is not supported by algorithm"
                                    + " \"naive\"; expected [weight]")
                    .hasMessageContaining(
                            "config[0].quant_dtype: is not supported by algorithm \"naive\"; the"
                                    + " algorithm fixes its own")
                    .hasMessageContaining(
                            "config[0].quant_start_step: is not supported by algorithm \"naive\";"
                                    + " quantization begins at once");
        }
    }
}
