package org.nni4j.observer;

import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Clips the magnitude where the quantized distribution tells most about the real one: least
 * Kullback-Leibler divergence.
 *
 * <p>Migacz, "8-bit Inference with TensorRT", GTC 2017. For each threshold the bins below it, with
 * all that is clipped counted into the last of them, are P; the same bins merged into as many
 * levels as the type has for magnitudes, each level spread evenly over its bins that are not empty,
 * are Q. Data that is never negative uses all levels of an affine type. The first bin counts as
 * much as the second (as in NVIDIA's pytorch-quantization).
 */
final class EntropyObserver extends HistogramBasedObserver {

    /**
     * What clipped data finds in an empty last bin, instead of a probability of 0; MXNet's value.
     */
    private static final double SMOOTHED = 1e-4;

    @Override
    float[] search(Histogram histogram, int bins, QuantizedType type, QuantizationScheme scheme) {
        float min = histogram.min();
        float max = histogram.max();
        int steps = type.qmax() - type.qmin();
        boolean oneSided = scheme.isAffine() && (min >= 0 || max <= 0);
        int levels = oneSided ? steps + 1 : steps / 2 + 1;
        double largest = Math.max(Math.abs(min), Math.abs(max));
        double[] counts = histogram.resampleMagnitudes(largest, bins);
        // Zeros, of which a ReLU leaves many, are exact whatever the threshold; their bin must not
        // decide it.
        counts[0] = counts[1];
        float threshold = (float) (largest * threshold(counts, levels) / bins);
        return new float[] {
            Math.min(Math.max(min, -threshold), threshold),
            Math.max(Math.min(max, threshold), -threshold)
        };
    }

    /** Returns how many bins to keep; all of them where none is better. */
    static int threshold(double[] counts, int levels) {
        double total = 0;
        for (double count : counts) {
            total += count;
        }
        int best = counts.length;
        double least = Double.POSITIVE_INFINITY;
        double kept = 0;
        for (int i = 0; i < counts.length; i++) {
            kept += counts[i];
            if (i + 1 < levels) {
                continue;
            }
            double divergence = divergence(counts, i + 1, levels, kept, total - kept);
            if (divergence <= least) {
                least = divergence;
                best = i + 1;
            }
        }
        return best;
    }

    private static double divergence(
            double[] counts, int kept, int levels, double sum, double clipped) {
        double total = sum + clipped;
        double divergence = 0;
        for (int level = 0; level < levels; level++) {
            int from = (int) ((long) level * kept / levels);
            int to = (int) ((long) (level + 1) * kept / levels);
            double inLevel = 0;
            int filled = 0;
            for (int i = from; i < to; i++) {
                inLevel += counts[i];
                filled += counts[i] > 0 ? 1 : 0;
            }
            double q = filled == 0 ? 0 : inLevel / filled / sum;
            for (int i = from; i < to; i++) {
                double p = (i == kept - 1 ? counts[i] + clipped : counts[i]) / total;
                if (p > 0) {
                    divergence += p * Math.log(p / (counts[i] == 0 ? SMOOTHED : q));
                }
            }
        }
        return divergence;
    }
}
