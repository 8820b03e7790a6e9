package org.nni4j.export.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.export.onnx.OnnxType;

/** Integers that change their sign or their width stay what they were, within their type. */
class WeightCodesTest {

    /** One output channel per row, of two elements each. */
    private static WeightCodes rows(int bits, int zero, int... codes) {
        int rows = codes.length / 2;
        float[] scale = new float[rows];
        int[] zeros = new int[rows];
        Arrays.fill(scale, 0.5f);
        Arrays.fill(zeros, zero);
        return new WeightCodes(codes, scale, zeros, 0, 2, bits);
    }

    private static float value(WeightCodes weight, int i) {
        int c = i / 2;
        return (weight.codes()[i] - weight.zeroPoint()[c]) * weight.scale()[c];
    }

    @ParameterizedTest
    @CsvSource({
        "8, 0, -128, 127, INT8",
        "8, 0, -127, 127, INT8",
        "8, 10, 0, 255, UINT8",
        "16, 0, -32768, 32767, INT16",
        "16, 30000, 0, 65535, UINT16",
        "12, 0, -2048, 2047, INT16"
    })
    void times_negativeFactor_isExactWithinTheType(
            int bits, int zero, int least, int most, OnnxType type) {
        WeightCodes weight = rows(bits, zero, least, most, least, most);

        WeightCodes product = weight.times(new float[] {-2, 2}, 0, new long[] {2, 2});

        for (int i = 0; i < 4; i++) {
            assertThat(value(product, i)).isEqualTo((i < 2 ? -2 : 2) * value(weight, i));
        }
        assertThat(product.type(false)).isEqualTo(type);
        boolean signed = type == OnnxType.INT8 || type == OnnxType.INT16;
        int low = signed ? -(1 << (type.bits() - 1)) : 0;
        int high = low + (1 << type.bits()) - 1;
        assertThat(Arrays.stream(product.codes())).allMatch(q -> q >= low && q <= high);
        assertThat(Arrays.stream(product.zeroPoint())).allMatch(z -> z >= low && z <= high);
    }

    /** Halved: no weight moves by more than half of the new step, which is twice the old one. */
    @ParameterizedTest
    @CsvSource({"0, -128", "0, -127", "0, 0", "1, 0", "128, 0", "200, 0", "255, 0"})
    void reduced_everyCode_movesByHalfAStepAtMost(int zero, int least) {
        int[] all = new int[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = Math.min(least < 0 ? 127 : 255, least + i);
        }
        WeightCodes weight = new WeightCodes(all, new float[] {0.5f}, new int[] {zero}, -1, 1, 8);

        WeightCodes reduced = weight.reduced();

        assertThat(Arrays.stream(reduced.codes())).allMatch(q -> q >= -64 && q <= 64);
        assertThat(reduced.type(false)).isEqualTo(OnnxType.INT8);
        for (int i = 0; i < all.length; i++) {
            float before = (all[i] - zero) * 0.5f;
            float after = (reduced.codes()[i] - reduced.zeroPoint()[0]) * reduced.scale()[0];
            assertThat(Math.abs(after - before)).as("code " + all[i]).isLessThanOrEqualTo(0.5f);
        }
    }

    @Test
    void deadChannels_takeTheLargestScale_andStayZero() {
        WeightCodes weight =
                new WeightCodes(
                        new int[] {1, 2, 0, 0, 3, 0},
                        new float[] {0.5f, 1e-7f, 0.25f},
                        new int[3],
                        0,
                        2,
                        8);

        assertThat(weight.deadChannelsLikeOthers().scale()).containsExactly(0.5f, 0.5f, 0.25f);
        assertThat(weight.deadChannelsLikeOthers().codes()).isEqualTo(weight.codes());
    }
}
