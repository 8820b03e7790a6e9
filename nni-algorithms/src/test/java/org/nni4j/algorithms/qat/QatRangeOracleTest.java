package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationDefaults;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizedType;

/**
 * What NNI 2.10.1 makes of ranges, and the cases of its own tests that are not about one weight.
 */
class QatRangeOracleTest {

    /** NNI's numbers are printed with about seven digits. */
    private static final Offset<Float> PRINTED = within(2e-7f);

    private static Model reluModel() {
        Model model = Model.newInstance("relu");
        model.setBlock(new SequentialBlock().add(Activation.reluBlock()));
        return model;
    }

    private static QATQuantizer quantizer(Model model, Map<String, Object> entry) {
        return new QATQuantizer(
                model,
                ConfigList.fromMaps(List.of(entry)),
                Networks.sgd(0.1f),
                QuantizerOptions.standard()
                        .withDefaults(QuantizationDefaults.nni())
                        .withKernels("ndarray"));
    }

    private static TensorCalibration calibration(QATQuantizer quantizer, QuantType type) {
        String tensor = type == QuantType.WEIGHT ? "weight" : "0";
        return quantizer.calibration().layers().get(0).tensor(type, tensor).orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 3, int, per_tensor_affine, 0.01574803, -63",
        "-1, 3, uint, per_tensor_affine, 0.01568628, 64",
        "-1, 3, int, per_tensor_symmetric, 0.02362205, 0",
        "-1, 3, uint, per_tensor_symmetric, 0.02352941, 127",
        "0.5, 4, int, per_tensor_affine, 0.01574803, -127",
        "0.5, 4, uint, per_tensor_affine, 0.01568628, 0",
        "0.5, 4, int, per_tensor_symmetric, 0.03149606, 0",
        "0.5, 4, uint, per_tensor_symmetric, 0.03137255, 127",
        "-6, -2, int, per_tensor_affine, 0.02362205, 127",
        "-6, -2, uint, per_tensor_affine, 0.02352941, 255",
        "-6, -2, int, per_tensor_symmetric, 0.04724409, 0",
        "-6, -2, uint, per_tensor_symmetric, 0.04705882, 127"
    })
    void train_range_givesNnisScaleAndZeroPoint(
            float min, float max, String dtype, String scheme, float scale, int zeroPoint) {
        Map<String, Object> entry =
                Map.of(
                        "quant_types",
                        List.of("input"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("ReLU"),
                        "quant_dtype",
                        dtype,
                        "quant_scheme",
                        scheme);
        try (Model model = reluModel();
                QATQuantizer quantizer = quantizer(model, entry)) {
            quantizer.compress();
            Networks.train(model, new float[] {min, max}, new Shape(1, 2), new float[] {1, 1});
            TensorCalibration c = calibration(quantizer, QuantType.INPUT);
            assertThat(c.parameters().scale()).containsExactly(new float[] {scale}, PRINTED);
            assertThat(c.parameters().zeroPoint()).containsExactly(zeroPoint);
            assertThat(c.min()).containsExactly(min);
            assertThat(c.max()).containsExactly(max);
        }
    }

    /** Weight 1..18 of shape (2, 1, 3, 3), input 0..15 of shape (1, 1, 4, 4). */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    per_channel_symmetric|int|9/127 18/127|0 0|15/127|0
                    per_channel_symmetric|uint|9/127.5 18/127.5|127 127|15/127.5|127
                    per_tensor_symmetric|int|18/127|0|15/127|0
                    per_tensor_symmetric|uint|18/127.5|127|15/127.5|127
                    per_channel_affine|int|9/254 18/254|-127 -127|15/254|-127
                    per_channel_affine|uint|9/255 18/255|0 0|15/255|0
                    per_tensor_affine|int|18/254|-127|15/254|-127
                    per_tensor_affine|uint|18/255|0|15/255|0
                    """)
    void train_dtypeAndScheme_giveNnisTable(
            String scheme, String dtype, String scales, String zeros, String inScale, int inZero) {
        Map<String, Object> entry =
                Map.of(
                        "quant_types",
                        List.of("weight", "input"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("Conv2d"),
                        "quant_dtype",
                        dtype,
                        "quant_scheme",
                        scheme);
        try (Model model = Model.newInstance("conv")) {
            Conv2d conv = Conv2d.builder().setFilters(2).setKernelShape(new Shape(3, 3)).build();
            SequentialBlock block = new SequentialBlock().add(conv);
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 1, 4, 4));
            Networks.set(conv.getParameters().get("weight"), count(1, 18));
            model.setBlock(block);
            try (QATQuantizer quantizer = quantizer(model, entry)) {
                quantizer.compress();
                Networks.train(model, count(0, 15), new Shape(1, 1, 4, 4), count(1, 8));
                TensorCalibration w = calibration(quantizer, QuantType.WEIGHT);
                TensorCalibration x = calibration(quantizer, QuantType.INPUT);
                assertThat(w.parameters().scale()).containsExactly(quotients(scales));
                assertThat(w.parameters().zeroPoint()).containsExactly(ints(zeros));
                assertThat(x.parameters().scale()).containsExactly(quotients(inScale));
                assertThat(x.parameters().zeroPoint()).containsExactly(inZero);
                boolean perChannel = scheme.startsWith("per_channel");
                assertThat(w.parameters().axis())
                        .isEqualTo(perChannel ? 0 : QuantizationParameters.PER_TENSOR);
                assertThat(x.parameters().axis())
                        .isEqualTo(perChannel ? 1 : QuantizationParameters.PER_TENSOR);
                assertThat(w.min()).hasSameSizeAs(w.parameters().scale());
                assertThat(x.min()).hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "8, int, -127, 127",
        "8, uint, 0, 255",
        "4, int, -7, 7",
        "4, uint, 0, 15",
        "2, int, -1, 1",
        "2, uint, 0, 3"
    })
    void quantizedType_ofDtype_hasNnisRange(int bits, String dtype, int qmin, int qmax) {
        QuantizedType type =
                new QuantizedType(
                        bits, dtype.equals("int") ? QuantizationDtype.INT : QuantizationDtype.UINT);
        assertThat(type.qmin()).isEqualTo(qmin);
        assertThat(type.qmax()).isEqualTo(qmax);
    }

    @Test
    void quantize_weightOfNnisTest_givesItsValuesAndLeavesTheBias() {
        float[] bias = {2.3432f, 3.4342f};
        try (Model model = Model.newInstance("linear")) {
            Linear linear = Linear.builder().setUnits(2).build();
            SequentialBlock block = new SequentialBlock().add(linear);
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 2));
            Networks.set(linear.getParameters().get("weight"), 1.1287f, 2.3456f, 3.7814f, 5.9723f);
            Networks.set(linear.getParameters().get("bias"), bias);
            model.setBlock(block);
            Map<String, Object> entry =
                    Map.of(
                            "quant_types", List.of("weight"),
                            "quant_bits", 8,
                            "op_types", List.of("Linear"));
            try (QATQuantizer quantizer = quantizer(model, entry)) {
                quantizer.compress();
                float[] eye = {1, 0, 0, 1};
                float[] y = Networks.train(model, eye, new Shape(2, 2), new float[4]).output();
                float[] expected = {1.12419772f, 3.77074623f, 2.34207845f, 5.97230005f};
                for (int i = 0; i < y.length; i++) {
                    // The bias is added in float32: half a unit in the last place of the sum.
                    assertThat(y[i] - bias[i % 2]).isCloseTo(expected[i], within(1e-6f));
                }
                assertThat(calibration(quantizer, QuantType.WEIGHT).parameters().scale()[0])
                        .isCloseTo(0.02342078f, within(1e-8f));
                assertThat(Networks.values(block).get("01Linear_bias")).containsExactly(bias);
            }
        }
    }

    @Test
    void plan_nnisModel_findsItsFiveLayers() {
        try (Model model = Model.newInstance("nni")) {
            model.setBlock(
                    new SequentialBlock()
                            .add(
                                    Conv2d.builder()
                                            .setFilters(5)
                                            .setKernelShape(new Shape(5, 5))
                                            .build())
                            .add(BatchNorm.builder().build())
                            .add(
                                    Conv2d.builder()
                                            .setFilters(10)
                                            .setKernelShape(new Shape(5, 5))
                                            .build())
                            .add(BatchNorm.builder().build())
                            .add(Blocks.batchFlattenBlock())
                            .add(Linear.builder().setUnits(100).build())
                            .add(Linear.builder().setUnits(10).build())
                            .add(Activation.reluBlock()));
            List<Map<String, Object>> config =
                    List.of(
                            Map.of(
                                    "quant_types", List.of("weight"),
                                    "quant_bits", 8,
                                    "op_types", List.of("Conv2d", "Linear")),
                            Map.of(
                                    "quant_types",
                                    List.of("output"),
                                    "quant_bits",
                                    8,
                                    "quant_start_step",
                                    0,
                                    "op_types",
                                    List.of("ReLU")));
            try (QATQuantizer quantizer = new QATQuantizer(model, config, Networks.sgd(0.1f))) {
                assertThat(quantizer.plan().quantizedLayers())
                        .extracting(PlannedLayer::path)
                        .containsExactly(
                                "01Conv2d", "03Conv2d", "06Linear", "07Linear", "08LambdaBlock");
            }
        }
    }

    /** NNI makes the weight a buffer and trains a copy; here the parameter itself is the master. */
    @Test
    void compress_weight_staysTheLayersOwnTrainedParameter() {
        try (Model model = Networks.lenetModel(3)) {
            Map<String, Parameter> before = parameters(model);
            try (QATQuantizer quantizer =
                    quantizer(
                            model,
                            Map.of(
                                    "quant_types", List.of("weight"),
                                    "quant_bits", 8,
                                    "op_types", List.of("Conv2d", "Linear")))) {
                quantizer.compress();
                assertThat(parameters(model)).containsExactlyEntriesOf(before);
                assertThat(before.values()).allMatch(Parameter::requiresGradient);
            }
        }
    }

    private static Map<String, Parameter> parameters(Model model) {
        Map<String, Parameter> result = new LinkedHashMap<>();
        model.getBlock().getParameters().forEach(p -> result.put(p.getKey(), p.getValue()));
        return result;
    }

    private static float[] count(int from, int to) {
        float[] values = new float[to - from + 1];
        IntStream.range(0, values.length).forEach(i -> values[i] = from + i);
        return values;
    }

    private static float[] quotients(String text) {
        String[] parts = text.split(" ", -1);
        float[] values = new float[parts.length];
        for (int i = 0; i < values.length; i++) {
            String[] fraction = parts[i].split("/", -1);
            values[i] = Float.parseFloat(fraction[0]) / Float.parseFloat(fraction[1]);
        }
        return values;
    }

    private static int[] ints(String text) {
        float[] values = QatOracleTest.floats(text);
        return IntStream.range(0, values.length).map(i -> (int) values[i]).toArray();
    }
}
