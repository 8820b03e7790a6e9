package org.nni4j.export.verification;

import java.util.List;

/**
 * The range of an output's finite values: a masked score of -∞ must not make it so wide that
 * everything fits in.
 *
 * @param width the largest value less the smallest; 0 if none is finite
 * @param magnitude the largest magnitude; 0 if none is finite
 */
public record FiniteRange(double width, double magnitude) {

    /**
     * Looks at all values.
     *
     * @param parts of one output
     * @return their range
     */
    public static FiniteRange of(List<float[]> parts) {
        double min = Double.POSITIVE_INFINITY;
        double max = Double.NEGATIVE_INFINITY;
        for (float[] part : parts) {
            for (float value : part) {
                if (Float.isFinite(value)) {
                    min = Math.min(min, value);
                    max = Math.max(max, value);
                }
            }
        }
        return min > max
                ? new FiniteRange(0, 0)
                : new FiniteRange(max - min, Math.max(Math.abs(min), Math.abs(max)));
    }
}
