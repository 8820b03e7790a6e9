package org.nni4j.algorithm;

import ai.djl.ndarray.NDManager;
import org.nni4j.quantization.QuantizationKernels;

/**
 * What the framework lends an algorithm.
 *
 * @param manager owns the quantizers' lasting arrays; closed with the quantizer
 * @param kernels the kernels to compute with
 * @param seed the run's seed, for algorithms that draw random numbers
 */
public record AlgorithmContext(NDManager manager, QuantizationKernels kernels, long seed) {}
