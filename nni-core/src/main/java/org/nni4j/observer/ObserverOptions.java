package org.nni4j.observer;

/**
 * Settings of those observers that have any.
 *
 * @param percentile the share of the data within the range, in percent, above 50 and at most 100;
 *     half of the rest is cut off at either end
 * @param emaDecay weight of the past in a moving average, 0 up to but not including 1
 * @param emaBiasCorrection whether the moving average starts at 0 and is divided by {@code 1 -
 *     decay^batches}; else it starts at the first batch
 */
public record ObserverOptions(double percentile, double emaDecay, boolean emaBiasCorrection) {

    /** What is used where nothing else is asked for. */
    public static final ObserverOptions DEFAULT = new ObserverOptions(99.99, 0.99, false);

    /**
     * Checks.
     *
     * @throws IllegalArgumentException if a value is outside its bounds
     */
    public ObserverOptions {
        if (!(percentile > 50 && percentile <= 100)) {
            throw new IllegalArgumentException(
                    "percentile "
                            + percentile
                            + " is not supported; expected above 50, at most 100");
        }
        if (!(emaDecay >= 0 && emaDecay < 1)) {
            throw new IllegalArgumentException(
                    "decay " + emaDecay + " is not supported; expected 0 or more, below 1");
        }
    }
}
