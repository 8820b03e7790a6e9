package org.nni4j.observer;

import java.util.Arrays;
import java.util.List;

/** The observers there are. */
public enum ObserverKind {
    /** The smallest and the largest value ever seen. */
    MIN_MAX("min_max"),
    /** Moving averages of each batch's smallest and largest value. */
    EMA("ema"),
    /** Cuts a given part of the data off at either end. */
    PERCENTILE("percentile"),
    /**
     * Narrows the range while the squared error of a histogram does not grow, as PyTorch and NNI
     * do.
     */
    HISTOGRAM("histogram"),
    /** Clips at the least Kullback-Leibler divergence, as TensorRT does. */
    ENTROPY("entropy"),
    /** Searches the least mean squared quantization error. */
    MSE("mse");

    private final String key;

    ObserverKind(String key) {
        this.key = key;
    }

    /**
     * Returns the spelling used in config lists.
     *
     * @return for instance {@code "min_max"}
     */
    public String key() {
        return key;
    }

    /**
     * Finds a kind.
     *
     * @param key as in config lists
     * @return the kind
     * @throws IllegalArgumentException if there is no such kind; the message lists those there are
     */
    public static ObserverKind of(String key) {
        for (ObserverKind kind : values()) {
            if (kind.key.equals(key)) {
                return kind;
            }
        }
        List<String> keys = Arrays.stream(values()).map(ObserverKind::key).toList();
        throw new IllegalArgumentException(
                "unknown observer \"" + key + "\"; expected one of " + keys);
    }

    /**
     * Makes an observer that has seen nothing.
     *
     * @param options where a kind has any
     * @return the observer
     */
    public Observer create(ObserverOptions options) {
        return switch (this) {
            case MIN_MAX -> new MinMaxObserver();
            case EMA -> new EmaObserver(options.emaDecay(), options.emaBiasCorrection());
            case PERCENTILE -> new PercentileObserver(options.percentile());
            case HISTOGRAM -> new HistogramObserver();
            case ENTROPY -> new EntropyObserver();
            case MSE -> new MseObserver();
        };
    }
}
