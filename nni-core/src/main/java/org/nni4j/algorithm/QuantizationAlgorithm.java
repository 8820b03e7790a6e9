package org.nni4j.algorithm;

import org.nni4j.fakequant.TensorQuantizer;

/**
 * An algorithm: a name, what it can do, and a quantizer for each point. Found by {@link java.util.ServiceLoader}.
 */
public interface QuantizationAlgorithm {

    /**
     * Returns the name users give.
     *
     * @return lower case, for instance {@code "qat"}
     */
    String name();

    /**
     * Returns what config entries may ask of it.
     *
     * @return the capabilities
     */
    Capabilities capabilities();

    /**
     * Makes the quantizer of one point.
     *
     * @param point within the {@link #capabilities()}
     * @param context lent for the quantizer's life
     * @return a new quantizer; the framework closes it
     */
    TensorQuantizer create(QuantizationPoint point, AlgorithmContext context);
}
