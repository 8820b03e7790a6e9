package org.nni4j.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.config.ConfigException;
import org.nni4j.config.JsonObjectReader;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** The calibration config and its file: what is written is read back, and nothing else is read. */
class CalibrationConfigTest {

    private static final String GOLDEN =
            """
            {
              "format_version": 1,
              "algorithm": "qat",
              "step": 12,
              "layers": {
                "01Conv2d": {
                  "type": "Conv2d",
                  "folded_batch_norm": "02BatchNorm",
                  "tensors": [
                    {
                      "quant_type": "weight",
                      "tensor": "weight",
                      "weight_bits": 4,
                      "weight_dtype": "int",
                      "weight_scheme": "per_channel_symmetric",
                      "weight_axis": 0,
                      "weight_scale": [
                        0.1,
                        0.25
                      ],
                      "weight_zero_point": [
                        0,
                        0
                      ],
                      "tracked_min_weight": [
                        -0.7,
                        -1.0
                      ],
                      "tracked_max_weight": [
                        0.5,
                        1.75
                      ]
                    },
                    {
                      "quant_type": "input",
                      "tensor": "0",
                      "input_bits": 8,
                      "input_dtype": "uint",
                      "input_scheme": "per_tensor_affine",
                      "input_scale": [
                        0.011764706
                      ],
                      "input_zero_point": [
                        85
                      ]
                    }
                  ],
                  "unobserved": [
                    "output"
                  ]
                }
              }
            }
            """;

    @SuppressWarnings("NullAway") // does not see that the ranges may be null
    private static CalibrationConfig golden() {
        TensorCalibration weight =
                new TensorCalibration(
                        new QuantizedType(4, QuantizationDtype.INT),
                        QuantizationScheme.PER_CHANNEL_SYMMETRIC,
                        new QuantizationParameters(new float[] {0.1f, 0.25f}, new int[] {0, 0}, 0),
                        new float[] {-0.7f, -1},
                        new float[] {0.5f, 1.75f});
        TensorCalibration input =
                new TensorCalibration(
                        new QuantizedType(8, QuantizationDtype.UINT),
                        QuantizationScheme.PER_TENSOR_AFFINE,
                        QuantizationParameters.perTensor(0.0117647061f, 85),
                        null,
                        null);
        return new CalibrationConfig(
                "qat",
                12,
                List.of(
                        new CalibratedLayer(
                                "01Conv2d",
                                "Conv2d",
                                "02BatchNorm",
                                List.of(
                                        new CalibratedTensor(QuantType.WEIGHT, "weight", weight),
                                        new CalibratedTensor(QuantType.INPUT, "0", input)),
                                Set.of(QuantType.OUTPUT))));
    }

    @Test
    void toJson_versionOne_isTheGoldenText() {
        assertThat(golden().toJson()).isEqualTo(GOLDEN);
        assertThat(CalibrationConfig.fromJson(GOLDEN)).isEqualTo(golden());
    }

    /** Whatever float32 there is, its shortest decimal form reads back to it. */
    @Test
    void fromJson_randomFloats_areExact() {
        int seed = 5;
        Random random = new Random(seed);
        for (int i = 0; i < 300; i++) {
            float scale = Float.intBitsToFloat(random.nextInt() & 0x7fffffff);
            float bound = Float.intBitsToFloat(random.nextInt());
            if (!(scale > 0) || !Float.isFinite(scale) || !Float.isFinite(bound)) {
                continue;
            }
            TensorCalibration tensor =
                    new TensorCalibration(
                            new QuantizedType(16, QuantizationDtype.UINT),
                            QuantizationScheme.PER_TENSOR_AFFINE,
                            QuantizationParameters.perTensor(scale, random.nextInt(65536)),
                            new float[] {bound},
                            new float[] {scale});
            CalibrationConfig config =
                    new CalibrationConfig(
                            "qat",
                            1 + random.nextInt(1000),
                            List.of(
                                    new CalibratedLayer(
                                            "a.\"b\"\n" + i,
                                            "T",
                                            "",
                                            List.of(
                                                    new CalibratedTensor(
                                                            QuantType.OUTPUT, "0", tensor)),
                                            Set.of())));
            assertThat(CalibrationConfig.fromJson(config.toJson()))
                    .as("seed %d, round %d", seed, i)
                    .isEqualTo(config);
        }
    }

    private static final String TENSOR = "calibration.layers[\"01Conv2d\"].tensors[1]";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            textBlock =
                    """
                    "format_version": 1,|"format_version": 2,|calibration.format_version: 2 is newer than this version reads; expected at most 1
                    "format_version": 1,||calibration.format_version: is missing; expected a whole number 1..2147483647
                    "format_version": 1|"format_version": "1"|calibration.format_version: "1" is a string; expected a whole number 1..2147483647
                    "step": 12|"step": 0|calibration.step: 0 is not supported; expected 1..2147483647
                    "algorithm": "qat"|"algorithm": 3|calibration.algorithm: 3 is a number; expected a string
                    "algorithm": "qat",|"algorithm": "qat", "algoritm": "x",|calibration.algoritm: unknown key "algoritm" (did you mean "algorithm"?); valid keys: [algorithm, format_version, layers, parameters_sha256, step]
                    "step": 12,|"step": 12, "step": 13,|calibration.step: the key is given twice, again with 13; expected each key once
                    "type": "Conv2d",||calibration.layers["01Conv2d"].type: is missing; expected a string
                    "output"|"outputs"|calibration.layers["01Conv2d"].unobserved[0]: unknown quant type "outputs" (did you mean "output"?); available: [weight, input, output]
                    "input_bits": 8|"input_bits": 17|#.input_bits: 17 is not supported; expected 1..16
                    "input_bits": 8,||#.input_bits: is missing; expected a whole number 1..16
                    "input_dtype": "uint"|"input_dtype": "uint8"|#.input_dtype: unknown dtype "uint8" (did you mean "uint"?); available: [int, uint]
                    0.011764706|1e60|#.input_scale[0]: 1e60 is a number; expected a finite number
                    0.011764706|-0.5|#: scale -0.5 is not a positive finite number
                    0.011764706|0.5, 0.5|#: got 2 scales and 1 zero points; expected as many, at least one
                    0.011764706|null|#.input_scale[0]: null is no config value; expected a finite number
                    85|256|#: zero point 256 is outside uint8; expected 0..255
                    85|1.5|#.input_zero_point[0]: 1.5 is not a whole number; expected -65535..65535
                    "tensor": "0"|"tensor": "0", "axis": 1|#.axis: unknown key "axis" (did you mean "input_axis"?); valid keys: [input_axis, input_bits, input_dtype, input_scale, input_scheme, input_zero_point, quant_type, tensor, tracked_max_input, tracked_min_input]
                    "input_bits": 8,|"input_bits": 8, "input_axis": 1,|#: axis 1 does not go with scheme per_tensor_affine
                    "input_bits": 8,|"input_bits": 8, "tracked_min_input": [0],|#.tracked_max_input: is missing; expected an array
                    -0.7,||calibration.layers["01Conv2d"].tensors[0]: got 1 minima and 2 maxima for 2 scales; expected as many, or none of both
                    """)
    void fromJson_oneMistake_namesItsPlace(String before, String after, String message) {
        String json = GOLDEN.replaceFirst(quoted(before), after == null ? "" : after);
        assertThat(json).isNotEqualTo(GOLDEN);
        assertThatThrownBy(() -> CalibrationConfig.fromJson(json))
                .isInstanceOf(ConfigException.class)
                .satisfies(
                        e ->
                                assertThat(((ConfigException) e).problems())
                                        .extracting(Object::toString)
                                        .containsExactly(message.replace("#", TENSOR)));
    }

    private static String quoted(String text) {
        return Pattern.quote(text);
    }

    @Test
    void fromJson_severalMistakes_areReportedTogether() {
        String json =
                GOLDEN.replace("\"qat\"", "true")
                        .replace("\"weight_bits\": 4", "\"weight_bits\": 0")
                        .replace("\"tensor\": \"0\"", "\"tensor\": 0");
        assertThatThrownBy(() -> CalibrationConfig.fromJson(json))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "calibration: 3 problems\n"
                            + "  calibration.algorithm: true is a boolean; expected a string\n"
                            + "  calibration.layers[\"01Conv2d\"].tensors[0].weight_bits: 0 is not"
                            + " supported; expected 1..16\n"
                            + "  "
                                + TENSOR
                                + ".tensor: 0 is a number; expected a string");
    }

    @Test
    void fromJson_tensorTwice_isRefused() {
        int start = GOLDEN.indexOf("        {\n          \"quant_type\": \"input\"");
        String tensor = GOLDEN.substring(start, GOLDEN.indexOf("      ],\n      \"unobs")).strip();
        String json = GOLDEN.replace(tensor, tensor + ",\n" + tensor);
        assertThatThrownBy(() -> CalibrationConfig.fromJson(json))
                .hasMessageContaining(
                        "tensors[2].tensor: \"0\" is given twice; expected each once");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "  ",
                "[]",
                "1",
                "null",
                "{",
                "{} {}",
                "{\"a\":",
                "nonsense",
                "[[[[[[[[[[[]]"
            })
    void fromJson_noObject_isRefused(String json) {
        assertThatThrownBy(() -> CalibrationConfig.fromJson(json))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void fromJson_manyValues_isRefusedBeforeItHurts() {
        assertThatThrownBy(() -> JsonObjectReader.of("{\"layers\": [1, 2, 3]}", "root", 4))
                .isInstanceOf(ConfigException.class)
                .hasMessage("root: too many values; expected at most 4");
    }

    @Test
    void read_file_namesItInMessages(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("c.json"), GOLDEN, StandardCharsets.UTF_8);
        assertThat(CalibrationConfig.read(file)).isEqualTo(golden());
        Files.writeString(file, GOLDEN.replace("12", "-12"), StandardCharsets.UTF_8);
        assertThatThrownBy(() -> CalibrationConfig.read(file))
                .hasMessage(
                        file + ": calibration.step: -12 is not supported; expected 1..2147483647");
        Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
        assertThatThrownBy(() -> CalibrationConfig.read(file))
                .hasMessage(file + ": not valid UTF-8; expected JSON text in UTF-8");
    }

    @Test
    void fromJson_exampleOfThePage_isRead() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "calibration.md"));
        int start = page.indexOf("```json\n") + "```json\n".length();
        CalibrationConfig example =
                CalibrationConfig.fromJson(page.substring(start, page.indexOf("```", start)));
        assertThat(example.layer("01Conv2d").orElseThrow().tensors()).hasSize(1);
    }

    @Test
    void find_layerAndTensor_byName() {
        CalibratedLayer layer = golden().layer("01Conv2d").orElseThrow();
        assertThat(layer.tensor(QuantType.INPUT, "0")).isPresent();
        assertThat(layer.tensor(QuantType.INPUT, "1")).isEmpty();
        assertThat(golden().layer("02")).isEmpty();
    }
}
