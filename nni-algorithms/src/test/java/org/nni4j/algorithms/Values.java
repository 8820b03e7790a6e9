package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.nni4j.fakequant.QuantizerState;

/** Numbers that contracts are tested with, and what is claimed of them. */
public final class Values {

    private Values() {}

    /** Seeded values of a normal distribution. */
    static float[] gaussian(long seed, int length) {
        Random random = new Random(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    static void assertFinite(float[] values) {
        for (float value : values) {
            assertThat(Float.isFinite(value)).as(Arrays.toString(values)).isTrue();
        }
    }

    static void assertSame(Map<String, float[]> actual, Map<String, float[]> expected) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, values) -> assertThat(actual.get(name)).as(name).isEqualTo(values));
    }

    public static void assertSame(QuantizerState actual, QuantizerState expected) {
        assertSame(actual.arrays(), expected.arrays());
        assertThat(actual.counters()).isEqualTo(expected.counters());
    }
}
