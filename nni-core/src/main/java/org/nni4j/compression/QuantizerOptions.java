package org.nni4j.compression;

import org.jspecify.annotations.Nullable;
import org.nni4j.placement.QuantizationDefaults;

/**
 * Settings of a quantizer that do not belong to single layers.
 *
 * @param defaults dtype and scheme where a config entry names none; null for the algorithm's own,
 *     and {@link QuantizationDefaults#runtime()} where it has none
 * @param kernels {@code "auto"}, {@code "ndarray"} or {@code "fused"}
 * @param seed for algorithms that draw random numbers
 */
public record QuantizerOptions(@Nullable QuantizationDefaults defaults, String kernels, long seed) {

    /**
     * Returns what is used when nothing else is said: the algorithm's defaults, kernels chosen by
     * the engine, seed 0.
     *
     * @return the default options
     */
    public static QuantizerOptions standard() {
        return new QuantizerOptions(null, "auto", 0);
    }

    /**
     * Returns these options with other defaults.
     *
     * @param other dtype and scheme where a config entry names none
     * @return new options
     */
    public QuantizerOptions withDefaults(QuantizationDefaults other) {
        return new QuantizerOptions(other, kernels, seed);
    }

    /**
     * Returns these options with other kernels.
     *
     * @param other {@code "auto"}, {@code "ndarray"} or {@code "fused"}
     * @return new options
     */
    public QuantizerOptions withKernels(String other) {
        return new QuantizerOptions(defaults, other, seed);
    }

    /**
     * Returns these options with another seed.
     *
     * @param other the run's seed
     * @return new options
     */
    public QuantizerOptions withSeed(long other) {
        return new QuantizerOptions(defaults, kernels, other);
    }
}
