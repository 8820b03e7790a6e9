package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigException;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/** Settings do what they say, or are refused. */
class LsqSettingsTest {

    private static final float[] UP = {1, 2, 3, 4, 5, 6};
    private static final Shape SHAPE = new Shape(2, 3);

    private static LsqQuantizer quantizer(Model model, List<String> types, Map<String, ?> keys) {
        Map<String, Object> entry = new LinkedHashMap<>(keys);
        entry.put("quant_types", types);
        entry.put("quant_bits", 4);
        entry.put("op_types", List.of("Conv2d"));
        return new LsqQuantizer(model, List.of(entry), Networks.sgd(.1f));
    }

    private static void assertRefused(List<String> types, Map<String, ?> keys, String message) {
        try (Model model = Networks.smallModel(1)) {
            assertThatThrownBy(() -> quantizer(model, types, keys))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("config[0]")
                    .hasMessageContaining(message);
        }
    }

    private static void assertTaken(List<String> types, Map<String, ?> keys) {
        try (Model model = Networks.smallModel(1)) {
            quantizer(model, types, keys).close();
        }
    }

    private static TensorCalibration calibrated(Map<String, Object> settings, float... data) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "lsq",
                                Points.point("lsq", QuantType.INPUT, 4, settings),
                                manager)) {
            Points.train(quantizer, data, SHAPE, UP);
            return quantizer.calibration().orElseThrow();
        }
    }

    /** Zero point 8 of 4 bits stands for -8..7, zero point 0 for 0..15. */
    @ParameterizedTest
    @CsvSource({"true, 0", "false, 8"})
    void unsigned_ofAnInput_isNotTakenFromTheData(boolean unsigned, int zeroPoint) {
        Map<String, Object> settings = Map.of("unsigned", unsigned);
        assertThat(calibrated(settings, 0, 1, 2, 3, 4, 5).parameters().zeroPoint())
                .containsExactly(zeroPoint);
        assertThat(calibrated(settings, -1, 1, -2, 3, 4, 5).parameters().zeroPoint())
                .containsExactly(zeroPoint);
    }

    @Test
    void unsignedTrue_ofNegativeValues_makesThemZeros() {
        float[] data = {-1, 1, -2, 3, 4, 5};
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "lsq",
                                Points.point("lsq", QuantType.INPUT, 4, Map.of("unsigned", true)),
                                manager)) {
            Points.Pass pass = Points.train(quantizer, data, SHAPE, UP);
            assertThat(pass.output()[0]).isZero();
            assertThat(pass.output()[2]).isZero();
            assertThat(pass.gradient()).containsExactly(0, 2, 0, 4, 5, 6);
        }
    }

    @ParameterizedTest
    @CsvSource({"true, 0", "false, 8"})
    void unsigned_ofALayerThatQuantizesItsWeightToo_isMeantForTheInput(
            boolean unsigned, int zeroPoint) {
        try (Model model = Networks.smallModel(1);
                LsqQuantizer quantizer =
                        quantizer(
                                model, List.of("weight", "input"), Map.of("unsigned", unsigned))) {
            quantizer.compress();
            Networks.train(
                    model, Networks.random(Networks.SMALL, 1), Networks.SMALL, new float[12]);
            var layer = quantizer.calibration().layers().get(0);
            assertThat(zeroPoint(layer.tensor(QuantType.INPUT, "0").orElseThrow()))
                    .isEqualTo(zeroPoint);
            // -8..7 about the middle, whatever is said of inputs
            assertThat(zeroPoint(layer.tensor(QuantType.WEIGHT, "weight").orElseThrow()))
                    .isEqualTo(8);
        }
    }

    private static int zeroPoint(TensorCalibration calibration) {
        return calibration.parameters().zeroPoint()[0];
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void unsigned_whereNothingIsUint_isRefused(boolean unsigned) {
        assertRefused(
                List.of("weight"),
                Map.of("unsigned", unsigned),
                "layer \"01Conv2d\" (Conv2d): unsigned: "
                        + unsigned
                        + " has no effect on weight weight int4 per_tensor_symmetric; expected a"
                        + " symmetric tensor of quant_dtype uint");
        assertTaken(List.of("weight"), Map.of("unsigned", unsigned, "quant_dtype", "uint"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void unsigned_whereAllIsAffine_isRefused(boolean unsigned) {
        assertRefused(
                List.of("weight", "input"),
                Map.of("unsigned", unsigned, "quant_scheme", "per_tensor_affine"),
                "input 0 uint4 per_tensor_affine; expected a symmetric tensor");
        assertTaken(
                List.of("weight", "input"),
                Map.of(
                        "unsigned",
                        unsigned,
                        "quant_scheme",
                        Map.of("weight", "per_channel_affine")));
    }

    @Test
    void narrowRange_whereNothingIsSymmetricInt_isRefused() {
        Map<String, Object> narrow = Map.of("narrow_range", true);
        assertRefused(
                List.of("input", "output"),
                Map.of("settings", narrow),
                "layer \"01Conv2d\" (Conv2d): narrow_range: true has no effect on input 0 uint4"
                        + " per_tensor_symmetric, output 0 uint4 per_tensor_symmetric; expected a"
                        + " symmetric tensor of quant_dtype int");
        assertRefused(
                List.of("weight"),
                Map.of("settings", narrow, "quant_scheme", "per_channel_affine"),
                "narrow_range: true has no effect on weight weight int4 per_channel_affine");
        assertTaken(List.of("weight", "input"), Map.of("settings", narrow));
        // what holds anyway
        assertTaken(List.of("input"), Map.of("settings", Map.of("narrow_range", false)));
    }

    @Test
    void countBatch_falseWhereOnlyWeightsAre_isRefused() {
        Map<String, Object> keys = Map.of("settings", Map.of("count_batch", false));
        assertRefused(
                List.of("weight"),
                keys,
                "layer \"01Conv2d\" (Conv2d): count_batch: false has no effect on weight weight"
                        + " int4 per_tensor_symmetric; expected an input or output");
        assertTaken(List.of("weight", "output"), keys);
    }

    @ParameterizedTest
    @ValueSource(strings = {"count_batch", "narrow_range"})
    void flag_thatIsNone_isRefused(String key) {
        for (Object wrong : List.of(1, "true", 0.5)) {
            assertRefused(
                    List.of("weight", "input"),
                    Map.of("settings", Map.of(key, wrong)),
                    key + ": " + wrong + " is not supported; expected true or false");
        }
    }

    @Test
    void unsigned_thatIsNoFlag_isRefused() {
        assertRefused(List.of("input"), Map.of("unsigned", "yes"), "unsigned: \"yes\" is a string");
        assertRefused(List.of("input"), Map.of("unsigned", 1), "unsigned: 1 is a number");
    }

    /** A learned zero point makes both types the same values. */
    @Test
    void quantDtype_ofAnAffineScheme_makesNoDifference() {
        float[] data = {-.9f, .25f, .4f, .1f, -.3f, 1.3f};
        assertThat(affine(QuantizationDtype.INT, data))
                .isEqualTo(affine(QuantizationDtype.UINT, data));
    }

    private static TensorCalibration affine(QuantizationDtype dtype, float... data) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "lsq",
                                Points.point(
                                        QuantType.INPUT,
                                        4,
                                        dtype,
                                        QuantizationScheme.PER_TENSOR_AFFINE,
                                        Map.of()),
                                manager)) {
            Points.train(quantizer, data, SHAPE, UP);
            return quantizer.calibration().orElseThrow();
        }
    }
}
