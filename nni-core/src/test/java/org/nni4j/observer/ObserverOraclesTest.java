package org.nni4j.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Numbers from running NNI, PyTorch, Distiller, and an independent numpy implementation. */
class ObserverOraclesTest {

    private static final QuantizationScheme AFFINE = QuantizationScheme.PER_TENSOR_AFFINE;
    private static final QuantizationScheme SYMMETRIC = QuantizationScheme.PER_TENSOR_SYMMETRIC;

    @Test
    void histogram_nniInputs_givesNniParameters() {
        float[] linspace = new float[1001];
        for (int i = 0; i < linspace.length; i++) {
            linspace[i] = -1 + 4f * i / 1000;
        }
        assertHistogram(linspace, 0.03148068f, 32);
        assertHistogram(new float[] {0, .25f, .5f, .75f, 1}, 0.00787017f, 0);
        assertHistogram(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 0.07083154f, 0);
    }

    /** NNI searches with 256 levels, and then takes the 7 bits 0..127 (PyTorch's reduce_range). */
    private static void assertHistogram(float[] values, float scale, int zeroPoint) {
        Observer observer = ObserverKind.HISTOGRAM.create(ObserverOptions.DEFAULT);
        observer.observe(values);
        ObservedRange range = observer.range(uint(8), AFFINE);
        QuantizationParameters parameters =
                AffineQuantization.parametersFor(range.min()[0], range.max()[0], uint(7), AFFINE);
        assertThat(parameters.scale()[0]).isCloseTo(scale, within(5e-9f)); // digits given
        assertThat(parameters.zeroPoint()[0]).isEqualTo(zeroPoint);
    }

    @Test
    void ema_distillerBatches_givesDistillerRanges() {
        Observer observer = ObserverKind.EMA.create(new ObserverOptions(99.99, 0.9, true));
        observer.observe(-1, 2);
        assertRange(observer, -1, 2);
        observer.observe(-3, 4);
        assertRange(observer, -2.0526316f, 3.0526316f);
        observer.observe(0, 1);
        assertRange(observer, -1.2952029f, 2.2952027f);
    }

    /** Distiller's scale is the inverse of ours, and its zero point the negative. */
    @Test
    void ema_distillerBatches_quantizesAsDistiller() {
        Observer observer = ObserverKind.EMA.create(new ObserverOptions(99.99, 0.9, true));
        observer.observe(-1, 2);
        assertQuantizes(observer, AFFINE, 85, 85, new float[] {-1, 2}, new float[] {-1, 2});
        assertQuantizes(
                observer,
                SYMMETRIC,
                63.75f,
                127,
                // not Distiller's 2: times 63.75 it is 127.5, a tie that the inverse's last bit
                // decides
                new float[] {-1},
                new float[] {-1.0039216f});
        observer.observe(-3, 4);
        assertQuantizes(
                observer,
                AFFINE,
                49.948452f,
                103,
                new float[] {-3, 4},
                new float[] {-2.0621259f, 3.0431373f});
        assertQuantizes(
                observer,
                SYMMETRIC,
                41.767242f,
                127,
                new float[] {-3, 4},
                new float[] {-2.9927759f, 3.0646026f});
        observer.observe(0, 1);
        assertQuantizes(observer, AFFINE, 71.022621f, 92, new float[] {0}, new float[] {0});
    }

    private static void assertQuantizes(
            Observer observer,
            QuantizationScheme scheme,
            float inverseScale,
            int zeroPoint,
            float[] values,
            float[] expected) {
        ObservedRange range = observer.range(uint(8), scheme);
        QuantizationParameters parameters =
                AffineQuantization.parametersFor(range.min()[0], range.max()[0], uint(8), scheme);
        // digits given
        assertThat(1 / parameters.scale()[0]).isCloseTo(inverseScale, within(2e-5f));
        assertThat(parameters.zeroPoint()).containsExactly(zeroPoint);
        for (int i = 0; i < values.length; i++) {
            assertThat(
                            AffineQuantization.fakeQuantize(
                                    values[i], parameters.scale()[0], zeroPoint, 0, 255))
                    .isCloseTo(expected[i], within(1e-6f));
        }
    }

    @Test
    void ema_nniBatches_givesNniRanges() {
        Observer observer = ObserverKind.EMA.create(ObserverOptions.DEFAULT);
        observer.observe(-1, .5f, 2);
        assertRange(observer, -1, 2);
        observer.observe(-3, .5f, 4);
        assertRange(observer, -1.01999998f, 2.01999998f);
        observer.observe(0, 1, 10);
        assertRange(observer, -1.00979996f, 2.09979987f);
        observer.observe(-1, .1f, .2f);
        assertRange(observer, -1.00970197f, 2.08080196f);
    }

    /** The references compute in float32: a few of its steps. */
    private static void assertRange(Observer observer, float min, float max) {
        ObservedRange range = observer.range(uint(8), AFFINE);
        assertThat(range.min()[0]).isCloseTo(min, within(5e-7f));
        assertThat(range.max()[0]).isCloseTo(max, within(5e-7f));
    }

    @Test
    void histogram_randomData_agreesWithPyTorch() {
        for (JsonElement element : golden()) {
            JsonObject golden = element.getAsJsonObject();
            float[] values = floats(golden, "values");
            float[] expected = floats(golden, "torch_histogram");
            Observer observer = ObserverKind.HISTOGRAM.create(ObserverOptions.DEFAULT);
            observer.observe(values);
            ObservedRange range = observer.range(uint(8), AFFINE);
            // Values near a bin's edge may count for its neighbour: two of 2048 bins.
            float slack = (expected[1] - expected[0]) * 2 / 2048;
            String kind = golden.get("kind").getAsString();
            assertThat(range.min()[0]).as(kind).isCloseTo(expected[0], within(slack));
            assertThat(range.max()[0]).as(kind).isCloseTo(expected[1], within(slack));
            assertThat(error(values, range, uint(8)))
                    .as(kind)
                    .isLessThan(golden.get("torch_histogram_mse").getAsDouble() * 1.02);
        }
    }

    @Test
    void mse_randomData_isAsGoodAsBruteForce() {
        for (JsonElement element : golden()) {
            JsonObject golden = element.getAsJsonObject();
            float[] values = floats(golden, "values");
            Observer observer = ObserverKind.MSE.create(ObserverOptions.DEFAULT);
            observer.observe(values);
            for (int bits : new int[] {3, 4, 8}) {
                double error = error(values, observer.range(uint(bits), AFFINE), uint(bits));
                String kind = golden.get("kind").getAsString() + ", " + bits + " bits";
                // the search sees the middles of 2048 bins instead of the values
                assertThat(error)
                        .as(kind)
                        .isLessThan(golden.get("mse_grid_" + bits).getAsDouble() * 1.02)
                        .isLessThan(golden.get("minmax_mse_" + bits).getAsDouble() * 1.005);
            }
        }
    }

    @Test
    void percentile_randomData_agreesWithNumpy() {
        for (JsonElement element : golden()) {
            JsonObject golden = element.getAsJsonObject();
            float[] values = floats(golden, "values");
            float[] expected = floats(golden, "quantile");
            Observer observer =
                    ObserverKind.PERCENTILE.create(new ObserverOptions(99.8, 0.9, false));
            observer.observe(values);
            ObservedRange range = observer.range(uint(8), AFFINE);
            // numpy interpolates between the two values about the percentile; ours lies between
            // them, or within a bin
            float[] sorted = values.clone();
            java.util.Arrays.sort(sorted);
            int n = sorted.length;
            float low = Math.max(sorted[3] - sorted[0], 2e-3f);
            float high = Math.max(sorted[n - 1] - sorted[n - 4], 2e-3f);
            String kind = golden.get("kind").getAsString();
            assertThat(range.min()[0]).as(kind).isCloseTo(expected[0], within(low));
            assertThat(range.max()[0]).as(kind).isCloseTo(expected[1], within(high));
        }
    }

    @Test
    void entropy_counts_agreesWithNumpy() {
        for (JsonElement element : golden()) {
            JsonObject golden = element.getAsJsonObject();
            float[] counts = floats(golden, "counts");
            double[] copy = new double[counts.length];
            for (int i = 0; i < copy.length; i++) {
                copy[i] = counts[i];
            }
            golden.getAsJsonObject("kept")
                    .entrySet()
                    .forEach(
                            e ->
                                    assertThat(EntropyObserver.threshold(copy, levels(e.getKey())))
                                            .as(golden.get("kind") + ", " + e.getKey() + " levels")
                                            .isEqualTo(e.getValue().getAsInt()));
        }
    }

    private static int levels(String key) {
        return Integer.parseInt(key);
    }

    @Test
    void entropy_outlier_isClipped() {
        java.util.Random random = new java.util.Random(1);
        float[] values = new float[100_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        values[0] = 100;
        Observer observer = ObserverKind.ENTROPY.create(ObserverOptions.DEFAULT);
        observer.observe(values);
        ObservedRange range =
                observer.range(new QuantizedType(8, QuantizationDtype.INT), SYMMETRIC);
        assertThat(range.max()[0]).isBetween(3f, 15f);
        assertThat(range.min()[0]).isBetween(-5.5f, -3f);
    }

    private static double error(float[] values, ObservedRange range, QuantizedType type) {
        QuantizationParameters p =
                AffineQuantization.parametersFor(range.min()[0], range.max()[0], type, AFFINE);
        double error = 0;
        for (float value : values) {
            double off =
                    value
                            - AffineQuantization.fakeQuantize(
                                    value,
                                    p.scale()[0],
                                    p.zeroPoint()[0],
                                    type.qmin(),
                                    type.qmax());
            error += off * off;
        }
        return error / values.length;
    }

    private static QuantizedType uint(int bits) {
        return new QuantizedType(bits, QuantizationDtype.UINT);
    }

    private static JsonArray golden() {
        try (InputStream in =
                Objects.requireNonNull(
                        ObserverOraclesTest.class.getResourceAsStream("/golden/observers.json"))) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .getAsJsonObject()
                    .getAsJsonArray("cases");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static float[] floats(JsonObject object, String name) {
        JsonArray array = object.getAsJsonArray(name);
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).getAsFloat();
        }
        return values;
    }
}
