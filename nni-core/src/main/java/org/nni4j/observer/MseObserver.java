package org.nni4j.observer;

import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Searches the range of least mean squared quantization error, with the very parameters that the
 * range would get.
 *
 * <p>Both ends are drawn in together first, then each by itself where the scheme is affine. The
 * full range is among the candidates, so the error is never above that of {@link MinMaxObserver}.
 */
final class MseObserver extends HistogramBasedObserver {

    private static final int CANDIDATES = 100;
    private static final int ROUNDS = 2;

    @Override
    float[] search(Histogram histogram, int bins, QuantizedType type, QuantizationScheme scheme) {
        double[] counts = histogram.resample(histogram.min(), histogram.max(), bins);
        float[] values = middles(histogram.min(), histogram.max(), bins);
        return new Search(counts, values, type, scheme).run(histogram.min(), histogram.max());
    }

    private static float[] middles(float min, float max, int bins) {
        float[] middles = new float[bins];
        for (int i = 0; i < bins; i++) {
            middles[i] = (float) (min + ((double) max - min) * (i + 0.5) / bins);
        }
        return middles;
    }

    /** One search; remembers the best range so far. */
    private static final class Search {

        private final double[] counts;
        private final float[] values;
        private final QuantizedType type;
        private final QuantizationScheme scheme;
        private float[] best = {};
        private double least = Double.POSITIVE_INFINITY;

        Search(double[] counts, float[] values, QuantizedType type, QuantizationScheme scheme) {
            this.counts = counts;
            this.values = values;
            this.type = type;
            this.scheme = scheme;
        }

        float[] run(float min, float max) {
            for (int i = CANDIDATES; i > 0; i--) {
                tryRange(part(min, i), part(max, i));
            }
            for (int round = 0; scheme.isAffine() && round < ROUNDS; round++) {
                for (int i = CANDIDATES; i >= 0; i--) {
                    tryRange(Math.min(part(min, i), best[1]), best[1]);
                }
                for (int i = CANDIDATES; i >= 0; i--) {
                    tryRange(best[0], Math.max(part(max, i), best[0]));
                }
            }
            return best;
        }

        /* In double: the product may be beyond the floats, and the whole must be the bound itself. */
        private static float part(float bound, int i) {
            return (float) ((double) bound * i / CANDIDATES);
        }

        private void tryRange(float low, float high) {
            double error = error(low, high);
            if (error < least) {
                least = error;
                best = new float[] {low, high};
            }
        }

        private double error(float low, float high) {
            QuantizationParameters p = AffineQuantization.parametersFor(low, high, type, scheme);
            float scale = p.scale()[0];
            int zeroPoint = p.zeroPoint()[0];
            double error = 0;
            for (int i = 0; i < counts.length; i++) {
                if (counts[i] != 0) {
                    double off =
                            values[i]
                                    - AffineQuantization.fakeQuantize(
                                            values[i], scale, zeroPoint, type.qmin(), type.qmax());
                    error += counts[i] * off * off;
                }
            }
            return error;
        }
    }
}
