package org.nni4j.observer;

import java.util.Map;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** An observer that keeps a histogram of each channel, and searches a range in it. */
abstract sealed class HistogramBasedObserver extends Observer
        permits EntropyObserver, HistogramObserver, MseObserver, PercentileObserver {

    /** Fine enough that searching on {@link #SEARCHED} equal bins hardly feels the grid. */
    private static final int CAPACITY = 8192;

    private static final int SEARCHED = 2048;

    /** Channels are many and hold fewer values each. */
    private static final int PER_CHANNEL = 4;

    private Histogram[] histograms = {};

    @Override
    final void begin(int count) {
        histograms = new Histogram[count];
        for (int c = 0; c < count; c++) {
            histograms[c] = new Histogram(count == 1 ? CAPACITY : CAPACITY / PER_CHANNEL);
        }
    }

    @Override
    final void add(float[] values, int count, int inner) {
        if (count == 1) {
            histograms[0].add(values, 0, values.length, values.length);
            return;
        }
        for (int c = 0; c < count; c++) {
            histograms[c].add(values, c * inner, inner, inner * count);
        }
    }

    @Override
    final void add(Observer other) {
        for (int c = 0; c < histograms.length; c++) {
            histograms[c].add(((HistogramBasedObserver) other).histograms[c]);
        }
    }

    @Override
    final float[] range(int channel, QuantizedType type, QuantizationScheme scheme) {
        Histogram histogram = histograms[channel];
        if (histogram.min() == histogram.max()) {
            return new float[] {histogram.min(), histogram.max()};
        }
        int bins = histograms.length == 1 ? SEARCHED : SEARCHED / PER_CHANNEL;
        return search(histogram, bins, type, scheme);
    }

    /**
     * Searches.
     *
     * @param histogram of at least two different values
     * @param bins how finely to look
     * @param type the integer type
     * @param scheme affine or symmetric
     * @return minimum and maximum, within the data's
     */
    abstract float[] search(
            Histogram histogram, int bins, QuantizedType type, QuantizationScheme scheme);

    @Override
    final void write(Map<String, float[]> state) {
        for (int c = 0; c < histograms.length; c++) {
            histograms[c].write(state, prefix(c));
        }
    }

    private static String prefix(int channel) {
        return channel + ".";
    }

    @Override
    final int channels(Map<String, float[]> state) {
        int count = 0;
        while (state.containsKey(prefix(count) + "range")) {
            count++;
        }
        return count;
    }

    @Override
    final void read(Map<String, float[]> state) {
        for (int c = 0; c < histograms.length; c++) {
            histograms[c].read(state, prefix(c));
        }
    }
}
