package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Values and gradients against an independent implementation; docs/algorithms/golden-vectors.md
 * gives its formulas.
 */
class GoldenVectorsTest {

    /**
     * Of the largest magnitude in the tensor: float32 against the double precision of the vectors.
     */
    private static final double VALUES = 1e-6;

    private static final double GRADIENTS = 1e-5;

    @ParameterizedTest
    @CsvSource({
        "dorefa, ndarray, 64", "dorefa, fused, 64",
        "bnn, ndarray, 12", "bnn, fused, 12",
        "lsq, ndarray, 297", "lsq, fused, 297",
        "naive, ndarray, 8", "naive, fused, 8",
        "observer, ndarray, 180", "observer, fused, 180",
        "pact, ndarray, 40", "pact, fused, 40",
        "qat, ndarray, 360", "qat, fused, 360"
    })
    void quantize_randomTensors_givesGoldenValuesAndGradients(
            String algorithm, String kernels, int count) {
        JsonArray cases = cases(algorithm);
        assertThat(cases).hasSize(count);
        try (NDManager manager = NDManager.newBaseManager()) {
            QuantizationKernels implementation = QuantizationKernels.create(kernels, manager);
            for (JsonElement element : cases) {
                check(algorithm, implementation, element.getAsJsonObject());
            }
        }
    }

    private static void check(String algorithm, QuantizationKernels kernels, JsonObject golden) {
        String which = algorithm + ", " + kernels.name() + ": " + describe(golden);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(algorithm, point(algorithm, golden), manager, kernels)) {
            Shape shape = shape(golden);
            prepare(algorithm, quantizer, golden, shape, which);
            float[] input = floats(golden, "input");
            Points.Pass pass = Points.train(quantizer, input, shape, floats(golden, "upstream"));
            assertClose(which + ", output", pass.output(), golden, "output", VALUES);
            assertClose(which + ", gradient", pass.gradient(), golden, "gradient", GRADIENTS);
            checkLearned(algorithm, pass, golden, which);
            checkParameters(algorithm, quantizer, golden, shape, which);
            float[] evaluated = Points.evaluate(quantizer, input, shape);
            assertClose(which + ", evaluation", evaluated, golden, "output", VALUES);
        }
    }

    private static QuantizationPoint point(String algorithm, JsonObject golden) {
        QuantType type =
                QuantType.valueOf(golden.get("quant_type").getAsString().toUpperCase(Locale.ROOT));
        int bits = golden.get("bits").getAsInt();
        Map<String, Object> settings = new LinkedHashMap<>();
        for (String key : new String[] {"variant", "weights"}) {
            if (golden.has(key)) {
                settings.put(key, golden.get(key).getAsString());
            }
        }
        if (algorithm.equals("observer")) {
            settings.put("observer", "min_max");
        }
        for (String key : new String[] {"unsigned", "count_batch", "reduce_range"}) {
            if (golden.has(key)) {
                settings.put(key, golden.get(key).getAsBoolean());
            }
        }
        if (golden.has("narrow")) {
            settings.put("narrow_range", golden.get("narrow").getAsBoolean());
        }
        if (!golden.has("scheme")) {
            return Points.point(algorithm, type, bits, settings);
        }
        QuantizationDtype dtype =
                QuantizationDtype.valueOf(
                        golden.get("dtype").getAsString().toUpperCase(Locale.ROOT));
        return Points.point(
                type,
                new QuantizedType(bits, dtype),
                QuantizationScheme.valueOf(
                        golden.get("scheme").getAsString().toUpperCase(Locale.ROOT)),
                golden.get(golden.has("channel_axis") ? "channel_axis" : "axis").getAsInt(),
                settings);
    }

    private static void prepare(
            String algorithm,
            TensorQuantizer quantizer,
            JsonObject golden,
            Shape shape,
            String which) {
        switch (algorithm) {
            case "lsq" -> prepareLsq(quantizer, golden, shape, which);
            case "pact" -> {
                if (golden.has("level")) {
                    quantizer.load(
                            new QuantizerState(Map.of("level", floats(golden, "level")), Map.of()));
                }
            }
            case "observer" -> {
                float[] data = floats(golden, "calibration");
                if (golden.get("quant_type").getAsString().equals("weight")) {
                    Points.describe(quantizer, data, shape);
                } else {
                    assertThat(Points.evaluate(quantizer, data, shape)).isEqualTo(data);
                }
                // asking for the calibration ends the observation
                assertThat(quantizer.calibration()).isPresent();
            }
            case "qat" -> {
                if (golden.has("calibration")) {
                    float[] first = floats(golden, "calibration");
                    Points.train(quantizer, first, shape, first);
                }
            }
            default -> {}
        }
    }

    /** Scale and zero point of those that derive them from the data. */
    private static void checkParameters(
            String algorithm,
            TensorQuantizer quantizer,
            JsonObject golden,
            Shape shape,
            String which) {
        if (!golden.has("scale")) {
            return;
        }
        if (!algorithm.equals("observer")
                && golden.get("quant_type").getAsString().equals("weight")) {
            Points.describe(quantizer, floats(golden, "input"), shape);
        }
        QuantizationParameters parameters = quantizer.calibration().orElseThrow().parameters();
        assertClose(which + ", scale", parameters.scale(), golden, "scale", VALUES);
        if (golden.has("zero_point")) {
            float[] zero = floats(golden, "zero_point");
            for (int i = 0; i < zero.length; i++) {
                assertThat((float) parameters.zeroPoint()[i]).as(which).isEqualTo(zero[i]);
            }
        }
    }

    private static void prepareLsq(
            TensorQuantizer quantizer, JsonObject golden, Shape shape, String which) {
        if (golden.has("first_step_size")) {
            checkFirst(quantizer, golden, shape, which);
        }
        Map<String, float[]> arrays = new LinkedHashMap<>();
        arrays.put("step_size", floats(golden, "step_size"));
        if (golden.has("zero_point")) {
            arrays.put("zero_point", floats(golden, "zero_point"));
        }
        quantizer.load(new QuantizerState(arrays, Map.of("signed", isSigned(golden) ? 1L : 0L)));
    }

    /** What the first training tensor makes of step size and zero point, or of the sign. */
    private static void checkFirst(
            TensorQuantizer quantizer, JsonObject golden, Shape shape, String which) {
        float[] input = floats(golden, "input");
        Points.train(quantizer, input, shape, input);
        QuantizerState state = quantizer.state();
        int channels = array(golden, "step_size").size();
        float[] first = state.array("step_size", channels);
        assertClose(which + ", first step size", first, golden, "first_step_size", VALUES);
        if (golden.has("first_zero_point")) {
            assertThat(state.array("zero_point", channels))
                    .as(which + ", first zero point")
                    .isEqualTo(floats(golden, "first_zero_point"));
        } else {
            assertThat(state.counter("signed"))
                    .as(which + ", signed")
                    .isEqualTo(isSigned(golden) ? 1 : 0);
        }
    }

    private static void checkLearned(
            String algorithm, Points.Pass pass, JsonObject golden, String which) {
        if (algorithm.equals("lsq")) {
            String name = "step_size_gradient";
            assertSummed(which, pass.learned().get(0), golden, name, stepSizeTerms(golden));
            if (golden.has("zero_point")) {
                name = "zero_point_gradient";
                assertSummed(which, pass.learned().get(1), golden, name, zeroPointTerms(golden));
            }
        }
        if (golden.has("level")) {
            assertSummed(
                    which, pass.learned().get(0), golden, "level_gradient", levelTerms(golden));
        }
    }

    /** What one value adds to the gradient of the parameter that it shares with others. */
    private interface Terms {
        double term(double x, double g, int channel);
    }

    private static Terms stepSizeTerms(JsonObject golden) {
        float[] step = floats(golden, "step_size");
        float[] zero =
                golden.has("zero_point") ? floats(golden, "zero_point") : new float[step.length];
        int qmin = qmin(golden);
        int qmax = qmax(golden);
        double values = sharing(golden);
        return (x, g, c) -> {
            double v = x / step[c];
            double z = Math.max(qmin, Math.min(qmax, Math.rint(zero[c])));
            double q = Math.max(qmin, Math.min(qmax, Math.rint(v) + z)) - z;
            boolean inside = v + z >= qmin && v + z <= qmax;
            return g * (inside ? q - v : q) / Math.sqrt(values * qmax);
        };
    }

    /** How many values share a step size, in the batch or in one sample. */
    private static double sharing(JsonObject golden) {
        Shape shape = shape(golden);
        double values = (double) shape.size() / array(golden, "step_size").size();
        boolean ofOneSample =
                golden.has("count_batch") && !golden.get("count_batch").getAsBoolean();
        return ofOneSample ? values / shape.get(0) : values;
    }

    private static Terms zeroPointTerms(JsonObject golden) {
        float[] step = floats(golden, "step_size");
        float[] zero = floats(golden, "zero_point");
        int qmin = qmin(golden);
        int qmax = qmax(golden);
        return (x, g, c) -> {
            double v = x / step[c] + Math.max(qmin, Math.min(qmax, Math.rint(zero[c])));
            return v >= qmin && v <= qmax ? 0 : -g * step[c];
        };
    }

    private static Terms levelTerms(JsonObject golden) {
        float level = floats(golden, "level")[0];
        return (x, g, c) -> x >= level ? g : 0;
    }

    private static int qmax(JsonObject golden) {
        int bits = golden.get("bits").getAsInt();
        return (1 << (isSigned(golden) ? bits - 1 : bits)) - 1;
    }

    private static int qmin(JsonObject golden) {
        boolean narrow = golden.has("narrow") && golden.get("narrow").getAsBoolean();
        return isSigned(golden) ? -qmax(golden) - (narrow ? 0 : 1) : 0;
    }

    /** A {@code uint} tensor is signed too if its first values are. */
    private static boolean isSigned(JsonObject golden) {
        boolean signed = golden.has("signed") || golden.get("dtype").getAsString().equals("int");
        return signed && !golden.has("zero_point");
    }

    /**
     * A parameter's gradient is a sum of terms of both signs, which may nearly cancel out, while
     * each is rounded for itself. So what is small is the error as a part of all their magnitudes.
     */
    private static void assertSummed(
            String which, float[] actual, JsonObject golden, String name, Terms terms) {
        float[] expected = floats(golden, name);
        assertThat(actual).as(which).hasSameSizeAs(expected);
        float[] input = floats(golden, "input");
        float[] upstream = floats(golden, "upstream");
        long inner =
                expected.length == 1
                        ? input.length
                        : shape(golden).slice(golden.get("axis").getAsInt() + 1).size();
        double[] sum = new double[expected.length];
        double[] magnitude = new double[expected.length];
        for (int i = 0; i < input.length; i++) {
            int channel = (int) (i / inner % expected.length);
            double term = terms.term(input[i], upstream[i], channel);
            sum[channel] += term;
            magnitude[channel] += Math.abs(term);
        }
        for (int c = 0; c < expected.length; c++) {
            // The terms are those of the vectors, so their magnitudes say what there is to round.
            assertThat(Math.abs(sum[c] - expected[c]))
                    .as(which + ", terms of " + name + "[" + c + "]")
                    .isLessThanOrEqualTo(GRADIENTS * magnitude[c]);
            assertThat((double) Math.abs(actual[c] - expected[c]))
                    .as(which + ", " + name + "[" + c + "]: " + actual[c] + " for " + expected[c])
                    .isLessThanOrEqualTo(GRADIENTS * magnitude[c]);
        }
    }

    private static void assertClose(
            String what, float[] actual, JsonObject golden, String name, double relative) {
        float[] expected = floats(golden, name);
        assertThat(actual).as(what).hasSameSizeAs(expected);
        double largest = 1e-3;
        if (relative == GRADIENTS) {
            // What a gradient is made of: nearly cancelled, it is as exact as its parts.
            for (float g : floats(golden, "upstream")) {
                largest = Math.max(largest, Math.abs(g));
            }
        }
        for (float e : expected) {
            largest = Math.max(largest, Math.abs(e));
        }
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(actual[i] - expected[i]))
                    .as(what + "[" + i + "]: " + actual[i] + " for " + expected[i])
                    .isLessThanOrEqualTo((float) (relative * largest));
        }
    }

    private static JsonArray cases(String algorithm) {
        String name = "/golden/" + algorithm + ".json";
        try (InputStream in =
                Objects.requireNonNull(GoldenVectorsTest.class.getResourceAsStream(name))) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .getAsJsonObject()
                    .getAsJsonArray("cases");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String describe(JsonObject golden) {
        StringBuilder text = new StringBuilder();
        golden.entrySet().stream()
                .filter(e -> e.getValue().isJsonPrimitive())
                .forEach(e -> text.append(e.getKey()).append(' ').append(e.getValue()).append(' '));
        return text.toString();
    }

    private static Shape shape(JsonObject golden) {
        JsonArray sizes = array(golden, "shape");
        long[] shape = new long[sizes.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = sizes.get(i).getAsLong();
        }
        return new Shape(shape);
    }

    private static JsonArray array(JsonObject golden, String name) {
        return golden.getAsJsonArray(name);
    }

    private static float[] floats(JsonObject golden, String name) {
        JsonArray array = array(golden, name);
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).getAsFloat();
        }
        return values;
    }
}
