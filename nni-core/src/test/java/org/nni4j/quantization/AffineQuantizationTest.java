package org.nni4j.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.nni4j.quantization.QuantizationDtype.INT;
import static org.nni4j.quantization.QuantizationDtype.UINT;
import static org.nni4j.quantization.QuantizationScheme.PER_CHANNEL_AFFINE;
import static org.nni4j.quantization.QuantizationScheme.PER_TENSOR_AFFINE;
import static org.nni4j.quantization.QuantizationScheme.PER_TENSOR_SYMMETRIC;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AffineQuantizationTest {

    private static final QuantizedType INT8 = new QuantizedType(8, INT);
    private static final QuantizedType UINT8 = new QuantizedType(8, UINT);

    @ParameterizedTest
    @CsvSource({
        "-1, 3, 0.01574803, -63, 0.01568628, 64, 0.02362205, 0.02352941",
        "0.5, 4, 0.01574803, -127, 0.01568628, 0, 0.03149606, 0.03137255",
        "-6, -2, 0.02362205, 127, 0.02352941, 255, 0.04724409, 0.04705882",
    })
    void parametersFor_nniRanges_givesNnisNumbers(
            float min, float max, float si, int zi, float su, int zu, float symI, float symU) {
        assertParameters(min, max, INT8, PER_TENSOR_AFFINE, si, zi);
        assertParameters(min, max, UINT8, PER_TENSOR_AFFINE, su, zu);
        assertParameters(min, max, INT8, PER_TENSOR_SYMMETRIC, symI, 0);
        assertParameters(min, max, UINT8, PER_TENSOR_SYMMETRIC, symU, 127);
    }

    private static void assertParameters(
            float min, float max, QuantizedType type, QuantizationScheme scheme, float s, int z) {
        QuantizationParameters p = AffineQuantization.parametersFor(min, max, type, scheme);
        // The expected scales are printed to 8 decimals.
        assertThat(p.scale()[0]).as("%s %s", type, scheme).isCloseTo(s, offset(1e-8f));
        assertThat(p.zeroPoint()).as("%s %s", type, scheme).containsExactly(z);
    }

    @Test
    void parametersFor_perChannel_isOneRangePerChannel() {
        QuantizationParameters p =
                AffineQuantization.parametersFor(
                        new float[] {1, 10}, new float[] {9, 18}, INT8, PER_CHANNEL_AFFINE, 0);
        assertThat(p)
                .isEqualTo(
                        new QuantizationParameters(
                                new float[] {9 / 254f, 18 / 254f}, new int[] {-127, -127}, 0));
    }

    @Test
    void parametersFor_degenerateRanges_areFinite() {
        float[] bounds = {0f, -0f, Float.MIN_VALUE, 1e-40f, 5f, Float.MAX_VALUE};
        for (QuantizedType type : types()) {
            for (QuantizationScheme scheme : QuantizationScheme.values()) {
                for (float bound : bounds) {
                    assertFinite(bound, bound, type, scheme);
                    assertFinite(-bound, -bound, type, scheme);
                    assertFinite(-bound, bound, type, scheme);
                }
            }
        }
    }

    private static void assertFinite(
            float min, float max, QuantizedType type, QuantizationScheme scheme) {
        QuantizationParameters p = AffineQuantization.parametersFor(min, max, type, scheme);
        assertThat(p.scale()[0])
                .as("%s %s %s..%s", type, scheme, min, max)
                .isGreaterThanOrEqualTo(AffineQuantization.EPSILON)
                .isFinite();
        assertThat(p.zeroPoint()[0]).isBetween(type.qmin(), type.qmax());
    }

    @Test
    void parametersFor_notFinite_throws() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThatThrownBy(
                            () ->
                                    AffineQuantization.parametersFor(
                                            -1, bad, INT8, PER_TENSOR_AFFINE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("-1.0.." + bad);
        }
        assertThatThrownBy(
                        () ->
                                AffineQuantization.parametersFor(
                                        new float[] {0, 2},
                                        new float[] {1, 1},
                                        INT8,
                                        PER_CHANNEL_AFFINE,
                                        0))
                .hasMessage("channel 1: range 2.0..1.0 is not finite and ascending");
    }

    @Test
    void parametersFor_int1_throws() {
        assertThatThrownBy(
                        () ->
                                AffineQuantization.parametersFor(
                                        0, 1, new QuantizedType(1, INT), PER_TENSOR_SYMMETRIC))
                .hasMessage("int1 holds the single value 0; expected at least 2 values");
    }

    @Test
    void quantize_ties_roundHalfToEven() {
        float[] x = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f};
        assertThat(AffineQuantization.quantize(x, 1f, 0, INT8)).containsExactly(0, 2, 2, 0, -2, -2);
        // The zero point is added after rounding: an odd one does not move the ties.
        assertThat(AffineQuantization.quantize(x, 1f, 1, INT8)).containsExactly(1, 3, 3, 1, -1, -1);
    }

    @Test
    void quantize_outsideTheRange_saturates() {
        float[] x = {Float.NEGATIVE_INFINITY, -1e30f, 1e30f, Float.POSITIVE_INFINITY};
        assertThat(AffineQuantization.quantize(x, 0.1f, 3, UINT8)).containsExactly(0, 0, 255, 255);
    }

    @Test
    void quantize_nan_throws() {
        assertThatThrownBy(
                        () -> AffineQuantization.quantize(new float[] {0, Float.NaN}, 1, 0, INT8))
                .hasMessage("[1]: NaN has no quantized value");
        assertThat(AffineQuantization.fakeQuantize(Float.NaN, 1, 0, -127, 127)).isNaN();
    }

    @Test
    void fakeQuantize_nniWeight_givesNnisNumbers() {
        float[] x = {1.1287f, 2.3456f, 3.7814f, 5.9723f};
        QuantizationParameters p =
                AffineQuantization.parametersFor(1.1287f, 5.9723f, UINT8, PER_TENSOR_AFFINE);
        int[] q = AffineQuantization.quantize(x, p.scale()[0], p.zeroPoint()[0], UINT8);
        assertThat(q).containsExactly(48, 100, 161, 255);
        assertThat(AffineQuantization.dequantize(q, p.scale()[0], p.zeroPoint()[0]))
                .containsExactly(
                        new float[] {1.12419772f, 2.34207845f, 3.77074623f, 5.97230005f},
                        // printed to 8 decimals by NNI, which divides in another order
                        offset(5e-7f));
    }

    @Test
    void fakeQuantize_anyRange_meetsTheLaws() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            QuantizedType type = types().get(random.nextInt(types().size()));
            QuantizationScheme scheme = List.of(QuantizationScheme.values()).get(random.nextInt(4));
            float min = (float) random.nextGaussian() * 10 - 3;
            float max = min + random.nextFloat() * 20;
            QuantizationParameters p = AffineQuantization.parametersFor(min, max, type, scheme);
            float s = p.scale()[0];
            int z = p.zeroPoint()[0];
            String where = "seed " + seed + ": " + type + " " + scheme + " " + p;
            assertThat(fakeQuantize(0f, s, z, type)).as(where).isZero();
            for (int i = 0; i < 20; i++) {
                float x = min + (max - min) * random.nextFloat();
                float y = fakeQuantize(x, s, z, type);
                assertThat(fakeQuantize(y, s, z, type)).as(where + " x " + x).isEqualTo(y);
                float low = (type.qmin() - z) * s;
                float high = (type.qmax() - z) * s;
                if (x >= low && x <= high) {
                    // Half a step, and the rounding of a float32 quotient of up to 2^16.
                    assertThat(Math.abs(x - y)).as(where + " x " + x).isLessThan(s * 0.51f);
                }
            }
        }
    }

    private static float fakeQuantize(float x, float s, int z, QuantizedType type) {
        return AffineQuantization.fakeQuantize(x, s, z, type.qmin(), type.qmax());
    }

    private static List<QuantizedType> types() {
        return IntStream.rangeClosed(1, 16)
                .boxed()
                .flatMap(
                        b ->
                                List.of(
                                        new QuantizedType(b, UINT),
                                        new QuantizedType(Math.max(b, 2), INT))
                                        .stream())
                .toList();
    }

    private static org.assertj.core.data.Offset<Float> offset(float value) {
        return org.assertj.core.data.Offset.offset(value);
    }
}
