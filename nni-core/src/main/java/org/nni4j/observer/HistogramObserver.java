package org.nni4j.observer;

import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Narrows the range from the end that holds less, for as long as the squared quantization error
 * does not grow.
 *
 * <p>This is PyTorch's {@code HistogramObserver}, which NNI calibrates with, bin for bin: each move
 * leaves out the bins of one more 1/100,000 of the data, and the error is that of values spread
 * evenly over their bin. As there, the first move is always taken.
 */
final class HistogramObserver extends HistogramBasedObserver {

    private static final double STEP = 1e-5;

    @Override
    float[] search(Histogram histogram, int bins, QuantizedType type, QuantizationScheme scheme) {
        double min = histogram.min();
        double width = ((double) histogram.max() - min) / bins;
        double[] counts = histogram.resample(min, histogram.max(), bins);
        double[] upTo = new double[bins];
        double sum = 0;
        for (int i = 0; i < bins; i++) {
            sum += counts[i];
            upTo[i] = sum;
        }
        int levels = type.qmax() - type.qmin() + 1;
        int start = 0;
        int end = bins - 1;
        double alpha = 0;
        double beta = 1;
        double least = Double.POSITIVE_INFINITY;
        while (alpha < beta) {
            int left = start;
            while (left < end && upTo[left] < (alpha + STEP) * sum) {
                left++;
            }
            int right = end;
            while (right > start && upTo[right] > (beta - STEP) * sum) {
                right--;
            }
            boolean fromLeft = left - start > end - right;
            alpha = fromLeft ? alpha + STEP : alpha;
            beta = fromLeft ? beta : beta - STEP;
            int nextStart = fromLeft ? left : start;
            int nextEnd = fromLeft ? end : right;
            if (nextStart == start && nextEnd == end) {
                continue;
            }
            double error = error(counts, width, nextStart, nextEnd, levels);
            if (error > least) {
                break;
            }
            least = error;
            start = nextStart;
            end = nextEnd;
        }
        return new float[] {(float) (min + width * start), (float) (min + width * (end + 1))};
    }

    /**
     * The squared error of quantizing all data onto levels that lie evenly over the bins
     * start..end.
     */
    private static double error(double[] counts, double width, int start, int end, int levels) {
        double step = width * (end - start + 1) / levels;
        double half = step / 2;
        double error = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] == 0) {
                continue;
            }
            double from = (i - start) * width;
            double to = from + width;
            double fromLevel = level(from, step, levels);
            double toLevel = level(to, step, levels);
            double density = counts[i] / width;
            error += cubes(from - (fromLevel + 0.5) * step, half, density);
            error += (toLevel - fromLevel - 1) * cubes(-half, half, density);
            error += cubes(-half, to - (toLevel + 0.5) * step, density);
        }
        return error;
    }

    private static double level(double distance, double step, int levels) {
        return Math.min(Math.max(Math.floor(distance / step), 0), levels - 1);
    }

    /** The integral of density · x² between two distances from a level's middle. */
    private static double cubes(double from, double to, double density) {
        return density * (to * to * to - from * from * from) / 3;
    }
}
