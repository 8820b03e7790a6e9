package org.nni4j.observer;

import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Cuts the same small part of the data off at either end. */
final class PercentileObserver extends HistogramBasedObserver {

    private final double percentile;

    PercentileObserver(double percentile) {
        this.percentile = percentile;
    }

    @Override
    float[] search(Histogram histogram, int bins, QuantizedType type, QuantizationScheme scheme) {
        double cut = (1 - percentile / 100) / 2;
        return new float[] {histogram.quantile(cut), histogram.quantile(1 - cut)};
    }
}
