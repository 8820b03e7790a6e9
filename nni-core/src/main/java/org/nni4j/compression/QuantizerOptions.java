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
 * @param checks whether each pass stops at the first quantized layer with NaN or infinite values
 */
public record QuantizerOptions(
        @Nullable QuantizationDefaults defaults, String kernels, long seed, boolean checks) {

    /**
     * Returns what is used when nothing else is said: the algorithm's defaults, kernels chosen by
     * the engine, seed 0.
     *
     * @return the default options
     */
    public static QuantizerOptions standard() {
        return new QuantizerOptions(null, "auto", 0, false);
    }

    /**
     * Returns these options with other defaults.
     *
     * @param other dtype and scheme where a config entry names none
     * @return new options
     */
    public QuantizerOptions withDefaults(QuantizationDefaults other) {
        return new QuantizerOptions(other, kernels, seed, checks);
    }

    /**
     * Returns these options with other kernels.
     *
     * @param other {@code "auto"}, {@code "ndarray"} or {@code "fused"}
     * @return new options
     */
    public QuantizerOptions withKernels(String other) {
        return new QuantizerOptions(defaults, other, seed, checks);
    }

    /**
     * Returns these options with another seed.
     *
     * @param other the run's seed
     * @return new options
     */
    public QuantizerOptions withSeed(long other) {
        return new QuantizerOptions(defaults, kernels, other, checks);
    }

    /**
     * Returns these options with checks or without.
     *
     * @param other true to look at all that goes into quantized layers, their parameters and what
     *     comes out, in each pass. A NaN or infinite value is an {@code IllegalStateException} that
     *     names the layer, the tensor and the step where it came up first. This is for finding out:
     *     it reads every tensor once more, and waits for the device
     * @return new options
     */
    public QuantizerOptions withChecks(boolean other) {
        return new QuantizerOptions(defaults, kernels, seed, other);
    }
}
