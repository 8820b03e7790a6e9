package org.nni4j.export.verification;

import java.util.List;
import java.util.Locale;
import org.nni4j.export.verification.Reference.Tensor;

/**
 * How a model's outputs compare with the fake-quantized network's. A step is the 255th part of the
 * range an output has over the samples: what eight bits could tell apart.
 *
 * @param samples how many
 * @param largest the largest distance, in steps
 * @param mean the mean distance, in steps
 * @param agreement share of the samples whose largest element is the same, 0..1
 */
public record OutputComparison(int samples, double largest, double mean, double agreement) {

    static OutputComparison of(List<Tensor> expected, List<float[]> actual) {
        double largest = 0;
        double sum = 0;
        long count = 0;
        int agreeing = 0;
        int rows = 0;
        for (int o = 0; o < expected.size(); o++) {
            float[] e = expected.get(o).elements();
            float[] a = actual.get(o);
            float step = step(e);
            for (int i = 0; i < e.length; i++) {
                double distance = Math.abs((double) e[i] - a[i]) / step;
                largest = Double.isNaN(distance) ? Double.NaN : Math.max(largest, distance);
                sum += distance;
                count++;
            }
            if (o == 0) {
                rows = (int) expected.get(o).shape()[0];
                int width = rows == 0 ? 0 : e.length / rows;
                for (int r = 0; r < rows; r++) {
                    agreeing += top(e, r, width) == top(a, r, width) ? 1 : 0;
                }
            }
        }
        return new OutputComparison(
                rows, largest, sum / Math.max(1, count), agreeing / (double) Math.max(1, rows));
    }

    private static float step(float[] values) {
        float min = Float.POSITIVE_INFINITY;
        float max = Float.NEGATIVE_INFINITY;
        for (float v : values) {
            min = Math.min(min, v);
            max = Math.max(max, v);
        }
        return max > min ? (max - min) / 255 : Float.MIN_NORMAL;
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
