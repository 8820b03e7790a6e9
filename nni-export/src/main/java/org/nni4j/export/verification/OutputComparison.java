package org.nni4j.export.verification;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.nni4j.export.runtime.RuntimeTensor;

/**
 * How a model's outputs compare with the fake-quantized network's. A step is the 255th part of the
 * range an output has over the samples, what eight bits could tell apart; but at least the 4096th
 * part of its largest magnitude. Of an output that hardly varies, or of a single one, the range
 * says nothing: sixteen such steps are then one of an eight-bit range that holds 0.
 *
 * @param samples how many
 * @param largest the largest distance of floats, in steps
 * @param mean their mean distance, in steps
 * @param agreement share of the rows of the first output of floats whose largest element is the
 *     same, or share of equal elements of an output of integers: the least of them, 0..1
 */
public record OutputComparison(int samples, double largest, double mean, double agreement) {

    private static final double LEAST_STEP = 1.0 / 4096;

    /** The outputs of one model in the network's order, gathered part by part. */
    static final class Gathered {

        private final List<List<RuntimeTensor>> expected = new ArrayList<>();
        private final List<List<RuntimeTensor>> actual = new ArrayList<>();

        void add(List<RuntimeTensor> expectedOutputs, List<RuntimeTensor> actualOutputs) {
            for (int o = 0; o < expectedOutputs.size(); o++) {
                checkAlike(o, expectedOutputs.get(o), actualOutputs.get(o));
            }
            expected.add(expectedOutputs);
            actual.add(actualOutputs);
        }

        private static void checkAlike(int output, RuntimeTensor one, RuntimeTensor other) {
            if (one.type() != other.type() || one.data().remaining() != other.data().remaining()) {
                throw new IllegalStateException(
                        "output " + output + " is " + other + " in ONNX Runtime; expected " + one);
            }
        }

        OutputComparison compare(int samples) {
            Sum sum = new Sum();
            boolean classified = false;
            for (int o = 0; o < expected.get(0).size(); o++) {
                if (expected.get(0).get(o).type().isFloating()) {
                    floats(o, sum, !classified);
                    classified = true;
                } else {
                    integers(o, sum);
                }
            }
            return new OutputComparison(
                    samples, sum.largest, sum.distances / Math.max(1, sum.floats), sum.agreement);
        }

        private void floats(int output, Sum sum, boolean classify) {
            double step = step(output);
            long rows = 0;
            long agreeing = 0;
            for (int part = 0; part < expected.size(); part++) {
                float[] e = expected.get(part).get(output).floats();
                float[] a = actual.get(part).get(output).floats();
                for (int i = 0; i < e.length; i++) {
                    // The same infinities are no distance apart.
                    sum.add(e[i] == a[i] ? 0 : Math.abs((double) e[i] - a[i]) / step);
                }
                int own = rows(expected.get(part).get(output));
                rows += own;
                for (int r = 0; classify && r < own; r++) {
                    int width = e.length / own;
                    agreeing += top(e, r, width) == top(a, r, width) ? 1 : 0;
                }
            }
            if (classify && rows > 0) {
                sum.agreement = Math.min(sum.agreement, agreeing / (double) rows);
            }
        }

        private void integers(int output, Sum sum) {
            long elements = 0;
            long equal = 0;
            for (int part = 0; part < expected.size(); part++) {
                RuntimeTensor e = expected.get(part).get(output);
                RuntimeTensor a = actual.get(part).get(output);
                int bytes = e.type().getNumOfBytes();
                for (int at = 0; at < e.data().remaining(); at += bytes) {
                    elements++;
                    equal += isEqual(e.data(), a.data(), at, bytes) ? 1 : 0;
                }
            }
            if (elements > 0) {
                sum.agreement = Math.min(sum.agreement, equal / (double) elements);
            }
        }

        private static boolean isEqual(ByteBuffer one, ByteBuffer other, int at, int bytes) {
            for (int i = at; i < at + bytes; i++) {
                if (one.get(i) != other.get(i)) {
                    return false;
                }
            }
            return true;
        }

        private double step(int output) {
            FiniteRange range =
                    FiniteRange.of(
                            expected.stream().map(part -> part.get(output).floats()).toList());
            return Math.max(
                    Math.max(range.width() / 255, LEAST_STEP * range.magnitude()),
                    Float.MIN_NORMAL);
        }
    }

    private static final class Sum {
        private double largest;
        private double distances;
        private long floats;
        private double agreement = 1;

        void add(double distance) {
            // What is no number once stays none.
            largest = Math.max(largest, distance);
            distances += distance;
            floats++;
        }
    }

    /** A number alone is one row. */
    private static int rows(RuntimeTensor tensor) {
        long[] shape = tensor.shape();
        return shape.length == 0 ? 1 : (int) shape[0];
    }

    private static int top(float[] values, int row, int width) {
        int best = row * width;
        for (int i = best; i < (row + 1) * width; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best - row * width;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "outputs at most %.2f, on average %.3f steps apart; top-1 the same for %.2f %% of"
                        + " %d samples",
                largest,
                mean,
                100 * agreement,
                samples);
    }
}
