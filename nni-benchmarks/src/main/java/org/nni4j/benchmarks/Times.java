package org.nni4j.benchmarks;

import java.util.Arrays;

/** Values measured again and again, in any unit. */
record Times(double[] values) {

    /** Copies and sorts. */
    Times {
        if (values.length == 0) {
            throw new IllegalArgumentException("no values");
        }
        values = Arrays.stream(values).sorted().toArray();
    }

    @Override
    public double[] values() {
        return values.clone();
    }

    double median() {
        return quantile(0.5);
    }

    /**
     * Returns a quantile, interpolated between its neighbours; 0 is the least value, 1 the most.
     */
    double quantile(double part) {
        double place = part * (values.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, values.length - 1);
        return values[below] + (place - below) * (values[above] - values[below]);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Times times && Arrays.equals(values, times.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }
}
