package org.nni4j.algorithm;

import java.util.Map;
import java.util.Set;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationScheme;

/**
 * What config entries may ask of an algorithm.
 *
 * @param bits the supported widths by quant type; a type that is absent is not supported
 * @param schemes the schemes an entry may name; empty if the algorithm fixes its own
 * @param dtypeSelectable whether an entry may name {@code quant_dtype}
 * @param startStep whether {@code quant_start_step} has a meaning
 * @param folding whether BatchNorm folding is supported
 * @param needsOptimizer whether it trains, and so must count steps
 * @param settings algorithm settings an entry may hold, by key
 */
public record Capabilities(
        Map<QuantType, BitRange> bits,
        Set<QuantizationScheme> schemes,
        boolean dtypeSelectable,
        boolean startStep,
        boolean folding,
        boolean needsOptimizer,
        Set<String> settings) {

    /**
     * Widths from min to max, both included.
     *
     * @param min at least 1
     * @param max at most 16
     */
    public record BitRange(int min, int max) {}
}
