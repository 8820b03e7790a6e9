package org.nni4j.observer;

import java.util.Map;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Moving averages of each batch's smallest and largest value: {@code t = d·t + (1 - d)·batch}.
 *
 * <p>The average either starts at the first batch (NNI, PyTorch), or at 0 and is then divided by
 * {@code 1 - d^n} (Distiller, which calls it bias correction).
 */
final class EmaObserver extends Observer {

    /** Far more than there can be, and far from where counting on would overflow. */
    private static final long MOST_BATCHES = 1L << 60;

    /*
     * Kept is r, the average that starts at 0, which is linear in the batches: after a's batches and then n of b's it is
     * d^n·a + b, so that averages merge. Started at the first batch, the average is r + d^n·first, since
     * d·first + (1 - d)·first = first.
     */
    private final double decay;
    private final boolean biasCorrected;
    private long batches;
    private double[] min = {};
    private double[] max = {};
    private float[] firstMin = {};
    private float[] firstMax = {};

    EmaObserver(double decay, boolean biasCorrected) {
        this.decay = decay;
        this.biasCorrected = biasCorrected;
    }

    @Override
    void begin(int count) {
        batches = 0;
        min = new double[count];
        max = new double[count];
        firstMin = new float[count];
        firstMax = new float[count];
    }

    @Override
    void add(float[] values, int count, int inner) {
        MinMaxObserver batch = new MinMaxObserver();
        batch.begin(count);
        batch.add(values, count, inner);
        for (int c = 0; c < count; c++) {
            float[] range = batch.range(c);
            if (batches == 0) {
                firstMin[c] = range[0];
                firstMax[c] = range[1];
            }
            min[c] = decay * min[c] + (1 - decay) * range[0];
            max[c] = decay * max[c] + (1 - decay) * range[1];
        }
        batches++;
    }

    @Override
    void checkOptions(Observer other) {
        EmaObserver later = (EmaObserver) other;
        if (later.decay != decay || later.biasCorrected != biasCorrected) {
            throw new IllegalArgumentException(
                    "cannot merge a moving average of decay "
                            + later.decay
                            + " into one of "
                            + decay);
        }
    }

    @Override
    void add(Observer other) {
        EmaObserver later = (EmaObserver) other;
        double fade = Math.pow(decay, (double) later.batches);
        for (int c = 0; c < min.length; c++) {
            min[c] = fade * min[c] + later.min[c];
            max[c] = fade * max[c] + later.max[c];
        }
        if (batches == 0) {
            firstMin = later.firstMin.clone();
            firstMax = later.firstMax.clone();
        }
        batches += later.batches;
    }

    @Override
    float[] range(int channel, QuantizedType type, QuantizationScheme scheme) {
        double faded = Math.pow(decay, (double) batches);
        if (biasCorrected) {
            return new float[] {
                (float) (min[channel] / (1 - faded)), (float) (max[channel] / (1 - faded))
            };
        }
        return new float[] {
            (float) (min[channel] + faded * firstMin[channel]),
            (float) (max[channel] + faded * firstMax[channel])
        };
    }

    @Override
    void write(Map<String, float[]> state) {
        state.put("batches", Digits.split(batches));
        Digits.write(state, "min", min);
        Digits.write(state, "max", max);
        state.put("first_min", firstMin.clone());
        state.put("first_max", firstMax.clone());
    }

    @Override
    int channels(Map<String, float[]> state) {
        return length(state, "first_min");
    }

    @Override
    void read(Map<String, float[]> state) {
        batches = Digits.join(value(state, "batches", Digits.LENGTH));
        Digits.read(state, "min", min);
        Digits.read(state, "max", max);
        firstMin = value(state, "first_min", firstMin.length).clone();
        firstMax = value(state, "first_max", firstMax.length).clone();
        if (batches < 1 || batches > MOST_BATCHES) {
            throw new IllegalArgumentException(
                    "observer state \"batches\" is " + batches + "; expected 1.." + MOST_BATCHES);
        }
        for (int c = 0; c < min.length; c++) {
            checkRange("min and max", min[c], max[c]);
            checkRange("first_min and first_max", firstMin[c], firstMax[c]);
        }
    }
}
