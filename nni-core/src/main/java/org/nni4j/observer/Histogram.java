package org.nni4j.observer;

import java.util.Arrays;
import java.util.Map;

/** Counts values on a grid that depends on their range alone, and not on the order they came in. */
final class Histogram {

    /*
     * Bin k holds the values in [k·w, (k + 1)·w), and the width w is a power of two: the smallest that lets the bins
     * between minimum and maximum fit. When the range grows w doubles, and bin k becomes part of bin floor(k / 2) as a
     * whole. No count is ever split, so the same data give the same counts however they were cut into batches or spread
     * over several histograms. (PyTorch's HistogramObserver lays its bins between the minimum and the maximum, and must
     * split counts whenever these move.)
     */
    private static final int FINEST = 30;

    private final long[] counts;
    private int exponent;
    private long first;
    private long total;
    private float min = Float.POSITIVE_INFINITY;
    private float max = Float.NEGATIVE_INFINITY;

    Histogram(int capacity) {
        this.counts = new long[capacity];
    }

    float min() {
        return min;
    }

    float max() {
        return max;
    }

    long total() {
        return total;
    }

    /** Adds values at offset, offset + 1, … (inner of them), then a stride on, and so forth. */
    void add(float[] values, int offset, int inner, int stride) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (int start = offset; start < values.length; start += stride) {
            for (int i = start; i < start + inner; i++) {
                low = Math.min(low, values[i]);
                high = Math.max(high, values[i]);
            }
        }
        widen(low, high);
        double perWidth = Math.scalb(1.0, -exponent);
        for (int start = offset; start < values.length; start += stride) {
            for (int i = start; i < start + inner; i++) {
                counts[(int) ((long) Math.floor(values[i] * perWidth) - first)]++;
            }
            total += inner;
        }
    }

    void add(Histogram other) {
        if (other.total == 0) {
            return;
        }
        widen(other.min, other.max);
        int doublings = exponent - other.exponent;
        for (int i = 0; i < other.counts.length; i++) {
            if (other.counts[i] != 0) {
                counts[(int) (coarser(other.first + i, doublings) - first)] += other.counts[i];
            }
        }
        total += other.total;
    }

    private void widen(float low, float high) {
        float newMin = Math.min(min, low);
        float newMax = Math.max(max, high);
        if (newMin == min && newMax == max) {
            return;
        }
        int newExponent = exponentFor(newMin, newMax);
        long newFirst = bin(newMin, newExponent);
        if (total > 0 && (newExponent != exponent || newFirst != first)) {
            long[] old = counts.clone();
            Arrays.fill(counts, 0);
            int doublings = newExponent - exponent;
            for (int i = 0; i < old.length; i++) {
                if (old[i] != 0) {
                    counts[(int) (coarser(first + i, doublings) - newFirst)] += old[i];
                }
            }
        }
        exponent = newExponent;
        first = newFirst;
        // + 0: the minimum of data that hold both zeros is -0, or is not, by their order.
        min = newMin + 0f;
        max = newMax + 0f;
    }

    /**
     * The bin that a bin becomes part of when the width doubles several times. Java takes a shift
     * by 64 places for one by none; one by 63 gives what all further ones would, -1 or 0.
     */
    private static long coarser(long bin, int doublings) {
        return bin >> Math.min(doublings, Long.SIZE - 1);
    }

    /** The smallest exponent with room for all bins, not finer than a float's own digits. */
    private int exponentFor(float low, float high) {
        int candidate = Math.getExponent(Math.max(Math.abs(low), Math.abs(high))) - FINEST;
        double span = (double) high - low;
        if (span > 0) {
            int widest = 31 - Integer.numberOfLeadingZeros(counts.length);
            candidate = Math.max(candidate, Math.getExponent(span) - widest - 1);
        }
        while (bin(high, candidate) - bin(low, candidate) >= counts.length) {
            candidate++;
        }
        return candidate;
    }

    private static long bin(float value, int exponent) {
        return (long) Math.floor(Math.scalb((double) value, -exponent));
    }

    /** Returns the middle of a bin, brought into the range of the data. */
    private double middle(int bin) {
        return Math.min(Math.max(Math.scalb(first + bin + 0.5, exponent), min), max);
    }

    /**
     * Returns the value below which a fraction of the data lies, straight between a bin's edges.
     *
     * @param fraction 0..1
     */
    float quantile(double fraction) {
        double wanted = fraction * total;
        double below = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0 && below + counts[i] >= wanted) {
                double part = (wanted - below) / counts[i];
                double value = Math.scalb(first + i + part, exponent);
                return (float) Math.min(Math.max(value, min), max);
            }
            below += counts[i];
        }
        return max;
    }

    /**
     * Counts again on equal bins between two bounds; what lies outside counts for the outermost.
     */
    double[] resample(double low, double high, int bins) {
        double[] resampled = new double[bins];
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] != 0) {
                resampled[position(middle(i) - low, high - low, bins)] += counts[i];
            }
        }
        return resampled;
    }

    /** Counts the magnitudes on equal bins between 0 and a bound. */
    double[] resampleMagnitudes(double high, int bins) {
        double[] resampled = new double[bins];
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] != 0) {
                resampled[position(Math.abs(middle(i)), high, bins)] += counts[i];
            }
        }
        return resampled;
    }

    private static int position(double above, double span, int bins) {
        return Math.max(0, Math.min(bins - 1, (int) (above / span * bins)));
    }

    void write(Map<String, float[]> state, String prefix) {
        int used = counts.length;
        while (used > 0 && counts[used - 1] == 0) {
            used--;
        }
        state.put(prefix + "range", new float[] {min, max});
        state.put(prefix + "bins", new float[] {used});
        Digits.write(state, prefix + "counts", Arrays.copyOf(counts, used));
    }

    void read(Map<String, float[]> state, String prefix) {
        float[] range = Observer.value(state, prefix + "range", 2);
        Observer.checkRange(prefix + "range", range[0], range[1]);
        Arrays.fill(counts, 0);
        total = 0;
        min = Float.POSITIVE_INFINITY;
        max = Float.NEGATIVE_INFINITY;
        widen(range[0], range[1]);
        int used = (int) Observer.value(state, prefix + "bins", 1)[0];
        long most = bin(max, exponent) - first + 1;
        if (used < 1 || used > most) {
            throw new IllegalArgumentException(
                    "observer state \"" + prefix + "bins\" is " + used + "; expected 1.." + most);
        }
        long[] read = new long[used];
        Digits.read(state, prefix + "counts", read);
        for (long count : read) {
            if (count < 0 || count > Long.MAX_VALUE - total) {
                throw new IllegalArgumentException(
                        "observer state \""
                                + prefix
                                + "counts\" holds "
                                + count
                                + " after "
                                + total
                                + "; expected counts whose sum is a long");
            }
            total += count;
        }
        System.arraycopy(read, 0, counts, 0, used);
    }
}
