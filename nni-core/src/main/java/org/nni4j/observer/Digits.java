package org.nni4j.observer;

import java.util.Map;

/**
 * Writes numbers that a float cannot hold exactly as several floats that can: digits of 21 bits.
 */
final class Digits {

    static final int LENGTH = 4;

    private static final int BITS = 21;
    private static final long MASK = (1L << BITS) - 1;

    private Digits() {}

    static float[] split(long number) {
        return new float[] {
            number & MASK,
            (number >>> BITS) & MASK,
            (number >>> (2 * BITS)) & MASK,
            number >>> (3 * BITS)
        };
    }

    static long join(float[] digits) {
        return (long) digits[0]
                | ((long) digits[1] << BITS)
                | ((long) digits[2] << (2 * BITS))
                | ((long) digits[3] << (3 * BITS));
    }

    static void write(Map<String, float[]> state, String name, long[] numbers) {
        float[] digits = new float[numbers.length * LENGTH];
        for (int i = 0; i < numbers.length; i++) {
            System.arraycopy(split(numbers[i]), 0, digits, i * LENGTH, LENGTH);
        }
        state.put(name, digits);
    }

    static void read(Map<String, float[]> state, String name, long[] numbers) {
        float[] digits = Observer.value(state, name, numbers.length * LENGTH);
        for (int i = 0; i < numbers.length; i++) {
            float[] number = new float[LENGTH];
            System.arraycopy(digits, i * LENGTH, number, 0, LENGTH);
            numbers[i] = join(number);
        }
    }

    static void write(Map<String, float[]> state, String name, double[] numbers) {
        long[] bits = new long[numbers.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Double.doubleToLongBits(numbers[i]);
        }
        write(state, name, bits);
    }

    static void read(Map<String, float[]> state, String name, double[] numbers) {
        long[] bits = new long[numbers.length];
        read(state, name, bits);
        for (int i = 0; i < bits.length; i++) {
            numbers[i] = Double.longBitsToDouble(bits[i]);
        }
    }
}
