package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.Trainer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Networks.Pass;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.placement.QuantizationDefaults;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizedType;

/**
 * Numbers that NNI 2.10.1 gives, by the reference kernels. The fused ones are held against those in
 * core, to a stated bound.
 */
class QatOracleTest {

    private static final float[][] W = {{-0.9f, 0.25f, 0.4f}, {0.1f, -0.3f, 1.3f}};
    private static final QuantizedType UINT8 = new QuantizedType(8, QuantizationDtype.UINT);
    private static final float[] EYE = {1, 0, 0, 0, 1, 0, 0, 0, 1};

    /** NNI's numbers are printed with about seven digits. */
    private static final Offset<Float> PRINTED = within(2e-7f);

    private static QATQuantizer nni(Model model, List<Map<String, Object>> config) {
        return new QATQuantizer(
                model,
                ConfigList.fromMaps(config),
                Networks.sgd(0.1f),
                QuantizerOptions.standard()
                        .withDefaults(QuantizationDefaults.nni())
                        .withKernels("ndarray"));
    }

    private static Map<String, Object> entry(String type, int bits, String... opTypes) {
        return Map.of(
                "quant_types",
                List.of(type),
                "quant_bits",
                bits,
                "op_types",
                List.of((Object[]) opTypes));
    }

    private static TensorCalibration calibration(QATQuantizer quantizer, QuantType type) {
        return quantizer
                .calibration()
                .layers()
                .get(0)
                .tensor(type, type == QuantType.WEIGHT ? "weight" : "0")
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    8|per_tensor_affine|int|0.008661416|-23|-0.9007873 0.2511811 0.3984252 0.103937 -0.3031496 1.2992125
                    8|per_tensor_affine|uint|0.00862745|104|-0.8972548 0.250196 0.3968627 0.1035294 -0.3019608 1.302745
                    8|per_tensor_symmetric|int|0.01023622|0|-0.9007874 0.2456693 0.3992126 0.1023622 -0.2968504 1.3
                    8|per_tensor_symmetric|uint|0.010196078|127|-0.8972548 0.2549019 0.397647 0.1019608 -0.2956862 1.2949018
                    8|per_channel_affine|int|0.00511811 0.006299212|49 -79|-0.9007874 0.2507874 0.3992126 0.1007874 -0.3023622 1.2976377
                    8|per_channel_affine|uint|0.005098039 0.006274509|177 48|-0.9023529 0.2498039 0.397647 0.1003921 -0.3011764 1.2988234
                    8|per_channel_symmetric|int|0.007086614 0.01023622|0 0|-0.9 0.2480315 0.3968504 0.1023622 -0.2968504 1.3
                    8|per_channel_symmetric|uint|0.007058823 0.010196078|127 127|-0.8964706 0.2470588 0.4023529 0.1019608 -0.2956862 1.2949018
                    4|per_tensor_affine|int|0.157142848|-1|-0.9428571 0.3142857 0.4714285 0.1571428 -0.3142857 1.2571428
                    4|per_tensor_affine|uint|0.146666661|6|-0.88 0.2933333 0.44 0.1466667 -0.2933333 1.3199999
                    4|per_channel_symmetric|int|0.128571421 0.185714275|0 0|-0.9 0.2571428 0.3857143 0.1857143 -0.3714285 1.3
                    2|per_tensor_affine|int|1.099999905|0|-1.0999999 0 0 0 0 1.0999999
                    2|per_tensor_affine|uint|0.73333329|1|-0.7333333 0 0.7333333 0 0 1.4666666
                    2|per_channel_symmetric|int|0.899999976 1.299999952|0 0|-0.9 0 0 0 0 1.3
                    2|per_channel_symmetric|uint|0.599999964 0.866666615|1 1|-0.6 0 0.6 0 0 0.8666666
                    """)
    void quantize_weight_givesNnisNumbersAndPassesTheGradient(
            int bits, String scheme, String dtype, String scale, String zero, String quantized) {
        try (Model model = Networks.linear(W)) {
            Map<String, Object> entry =
                    Map.of(
                            "quant_types", List.of("weight"),
                            "quant_bits", bits,
                            "op_types", List.of("Linear"),
                            "quant_scheme", scheme,
                            "quant_dtype", dtype);
            try (QATQuantizer quantizer = nni(model, List.of(entry))) {
                quantizer.compress();
                // With the identity as input the output is the quantized weight, transposed.
                Pass pass =
                        Networks.train(model, EYE, new Shape(3, 3), new float[] {1, 4, 2, 5, 3, 6});
                float[] expected = floats(quantized);
                for (int out = 0; out < 2; out++) {
                    for (int in = 0; in < 3; in++) {
                        int channel = scale.contains(" ") ? out : 0;
                        float tie =
                                tieStep(
                                        W[out][in],
                                        floats(scale)[channel],
                                        ints(zero)[Math.min(channel, ints(zero).length - 1)],
                                        new QuantizedType(
                                                bits,
                                                QuantizationDtype.valueOf(
                                                        dtype.toUpperCase(Locale.ROOT))));
                        assertThat(pass.output()[in * 2 + out])
                                .isCloseTo(expected[out * 3 + in] + tie, PRINTED);
                    }
                }
                assertThat(pass.gradients().get("01Linear_weight"))
                        .containsExactly(1, 2, 3, 4, 5, 6);
                TensorCalibration c = calibration(quantizer, QuantType.WEIGHT);
                assertThat(c.parameters().scale()).containsExactly(floats(scale), PRINTED);
                assertThat(c.parameters().zeroPoint()).containsExactly(ints(zero));
            }
        }
    }

    /**
     * NNI rounds {@code x/s + z}, we round {@code x/s} and then add {@code z}, as ONNX does. Where
     * {@code x/s} is halfway between two integers and {@code z} is odd, that is one step apart: to
     * the even sum there, to the even quotient here.
     */
    private static float tieStep(float x, float s, int z, QuantizedType type) {
        // The printed scale is not exact, so the nearest half is taken.
        double quotient = Math.rint(2.0 * x / s) / 2;
        boolean tie = Math.abs(quotient - (double) x / s) < 1e-4 && quotient != Math.rint(quotient);
        if (!tie) {
            return 0;
        }
        double ours = clamp(Math.rint(quotient) + z, type);
        double nni = Math.rint(clamp(quotient + z, type));
        return (float) ((ours - nni) * s);
    }

    private static double clamp(double q, QuantizedType type) {
        return Math.min(Math.max(q, type.qmin()), type.qmax());
    }

    @Test
    void quantize_nniDefaults_giveScalesOfNnisOwnTest() {
        float[][] weight = {{1, 2}, {3, 5}};
        try (Model model = Networks.linear(weight)) {
            Map<String, Object> entry =
                    Map.of(
                            "quant_types", List.of("weight", "input"),
                            "quant_bits", 8,
                            "op_types", List.of("Linear"));
            try (QATQuantizer quantizer = nni(model, List.of(entry))) {
                quantizer.compress();
                Networks.train(
                        model, new float[] {1, 4, 2, 1}, new Shape(2, 2), new float[] {1, 1, 1, 1});
                TensorCalibration w = calibration(quantizer, QuantType.WEIGHT);
                TensorCalibration x = calibration(quantizer, QuantType.INPUT);
                assertThat(w.parameters().scale()[0]).isCloseTo(5f / 255, within(1e-7f));
                assertThat(w.parameters().zeroPoint()[0]).isZero();
                assertThat(x.parameters().scale()[0]).isCloseTo(4f / 255, within(1e-7f));
                assertThat(x.parameters().zeroPoint()[0]).isZero();

                Networks.set(model.getBlock().getParameters().get("01Linear_weight"), -1, 2, 3, 5);
                w = calibration(quantizer, QuantType.WEIGHT);
                assertThat(w.parameters().scale()[0]).isCloseTo(6f / 255, within(1e-7f));
                assertThat(w.parameters().zeroPoint()[0]).isEqualTo(42);
            }
        }
    }

    @Test
    void track_reluOutput_isNnisMovingAverage() {
        try (Model model = Model.newInstance("relu")) {
            model.setBlock(new SequentialBlock().add(Activation.reluBlock()));
            try (QATQuantizer quantizer = nni(model, List.of(entry("output", 8, "ReLU")))) {
                quantizer.compress();
                pass(model, -0.2f, 0, 0.1f, 0.2f);
                TensorCalibration first = calibration(quantizer, QuantType.OUTPUT);
                assertThat(first.min()).containsExactly(0f);
                assertThat(first.max()).containsExactly(0.2f);
                pass(model, 0.2f, 0.4f, 0.6f, 0.8f);
                TensorCalibration second = calibration(quantizer, QuantType.OUTPUT);
                assertThat(second.min()).containsExactly(0.002f);
                assertThat(second.max()).containsExactly(0.2060f);
            }
        }
    }

    private static void pass(Model model, float... x) {
        Networks.train(model, x, new Shape(2, 2), new float[] {1, 1, 1, 1});
    }

    @Test
    void train_fourBatches_followsNnisRangeAndOutput() {
        float[][] eye = {{1, 0, 0}, {0, 1, 0}};
        float[][] batches = {{-1, .5f, 2}, {-3, .5f, 4}, {0, 1, 10}, {-1, .1f, .2f}};
        float[] mins = {-1, -1.01999998f, -1.00979996f, -1.00970197f};
        float[] maxs = {2, 2.01999998f, 2.09979987f, 2.08080196f};
        float[] scales = {0.0117647061f, 0.0119215688f, 0.0121945087f, 0.0121196229f};
        int[] zeros = {85, 86, 83, 83};
        float[][] outputs = {
            {-1, 0.50588238f},
            {-1.02525496f, 0.50070590f},
            {0, 0.99994969f},
            {-1.00592875f, 0.09695698f}
        };
        try (Model model = Networks.linear(eye)) {
            try (QATQuantizer quantizer = nni(model, List.of(entry("input", 8, "Linear")))) {
                quantizer.compress();
                for (int i = 0; i < batches.length; i++) {
                    Pass pass =
                            Networks.train(model, batches[i], new Shape(1, 3), new float[] {1, 1});
                    TensorCalibration c = calibration(quantizer, QuantType.INPUT);
                    assertThat(c.min()).containsExactly(mins[i]);
                    assertThat(c.max()).containsExactly(maxs[i]);
                    assertThat(c.parameters().scale()).containsExactly(scales[i]);
                    assertThat(c.parameters().zeroPoint()).containsExactly(zeros[i]);
                    // 0.5 / s of the first batch is 42.5, a tie: see tieStep.
                    float tie = i == 0 ? tieStep(0.5f, scales[0], 85, UINT8) : 0;
                    float[] expected = {outputs[i][0], outputs[i][1] + tie};
                    assertThat(pass.output()).containsExactly(expected, PRINTED);
                    if (i == 1) {
                        assertThat(pass.inputGradient()).containsExactly(0, 1, 0);
                    }
                }
                assertThat(Networks.evaluate(model, batches[0], new Shape(1, 3)))
                        .containsExactly(new float[] {-1.00592875f, 0.49690455f}, PRINTED);
            }
        }
    }

    @Test
    void train_withBias_leavesTheBiasFloat() {
        try (Model model = Networks.lenetModel(7);
                Trainer trainer = start(model)) {
            Networks.step(trainer, new Shape(4, 1, 28, 28), 10, 1);
            assertThat(trainer.getModel().getBlock().getParameters().keys())
                    .contains("01Conv2d_weight", "01Conv2d_bias");
        }
    }

    private static Trainer start(Model model) {
        QATQuantizer quantizer =
                nni(
                        model,
                        List.of(
                                entry("weight", 8, "Conv2d", "Linear"),
                                entry("output", 8, "ReLU")));
        assertThat(quantizer.plan().quantizedLayers()).hasSize(7);
        quantizer.compress();
        return Networks.trainer(model, quantizer.optimizer());
    }

    static float[] floats(String text) {
        String[] parts = text.trim().split(" ", -1);
        float[] values = new float[parts.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Float.parseFloat(parts[i]);
        }
        return values;
    }

    private static int[] ints(String text) {
        float[] values = floats(text);
        int[] ints = new int[values.length];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = (int) values[i];
        }
        return ints;
    }
}
