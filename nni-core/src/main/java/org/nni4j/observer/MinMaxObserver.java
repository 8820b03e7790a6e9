package org.nni4j.observer;

import java.util.Arrays;
import java.util.Map;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** The smallest and the largest value ever seen. */
final class MinMaxObserver extends Observer {

    private float[] min = {};
    private float[] max = {};

    @Override
    void begin(int count) {
        min = new float[count];
        max = new float[count];
        Arrays.fill(min, Float.POSITIVE_INFINITY);
        Arrays.fill(max, Float.NEGATIVE_INFINITY);
    }

    @Override
    void add(float[] values, int count, int inner) {
        for (int i = 0; i < values.length; i++) {
            int c = count == 1 ? 0 : i / inner % count;
            min[c] = Math.min(min[c], values[i]);
            max[c] = Math.max(max[c], values[i]);
        }
    }

    @Override
    void add(Observer other) {
        MinMaxObserver seen = (MinMaxObserver) other;
        for (int c = 0; c < min.length; c++) {
            min[c] = Math.min(min[c], seen.min[c]);
            max[c] = Math.max(max[c], seen.max[c]);
        }
    }

    @Override
    float[] range(int channel, QuantizedType type, QuantizationScheme scheme) {
        return range(channel);
    }

    float[] range(int channel) {
        return new float[] {min[channel], max[channel]};
    }

    @Override
    void write(Map<String, float[]> state) {
        state.put("min", min.clone());
        state.put("max", max.clone());
    }

    @Override
    int channels(Map<String, float[]> state) {
        return length(state, "min");
    }

    @Override
    void read(Map<String, float[]> state) {
        min = value(state, "min", min.length).clone();
        max = value(state, "max", max.length).clone();
        for (int c = 0; c < min.length; c++) {
            checkRange("min and max", min[c], max[c]);
        }
    }
}
