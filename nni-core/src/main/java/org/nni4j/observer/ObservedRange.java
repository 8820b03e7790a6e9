package org.nni4j.observer;

import java.util.Arrays;

/**
 * The range of a tensor, or of each of its channels.
 *
 * @param min the smallest values, one per channel or a single one
 * @param max as many largest values, none below its minimum
 */
public record ObservedRange(float[] min, float[] max) {

    /**
     * Checks and copies.
     *
     * @throws IllegalArgumentException if the lengths differ or a minimum is above its maximum
     */
    public ObservedRange {
        if (min.length != max.length || min.length == 0) {
            throw new IllegalArgumentException(
                    "got "
                            + min.length
                            + " minima and "
                            + max.length
                            + " maxima; expected as many, at least one");
        }
        for (int i = 0; i < min.length; i++) {
            if (!(min[i] <= max[i])) {
                throw new IllegalArgumentException(
                        "[" + i + "]: range " + min[i] + ".." + max[i] + " is not ascending");
            }
        }
        min = min.clone();
        max = max.clone();
    }

    @Override
    public float[] min() {
        return min.clone();
    }

    @Override
    public float[] max() {
        return max.clone();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof ObservedRange r
                && Arrays.equals(min, r.min)
                && Arrays.equals(max, r.max);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(min) + Arrays.hashCode(max);
    }

    @Override
    public String toString() {
        return Arrays.toString(min) + ".." + Arrays.toString(max);
    }
}
