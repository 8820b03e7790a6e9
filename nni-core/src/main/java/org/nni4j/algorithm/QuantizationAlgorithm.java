package org.nni4j.algorithm;

import java.util.Optional;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/**
 * An algorithm: a name, what it can do, and a quantizer for each point. Found by {@link
 * java.util.ServiceLoader}.
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
     * Returns the dtype that the algorithm means where an entry names none.
     *
     * @param type weight, input or output
     * @return empty to leave it to the quantizer's defaults
     */
    default Optional<QuantizationDtype> defaultDtype(QuantType type) {
        return Optional.empty();
    }

    /**
     * Returns the scheme that the algorithm means where an entry names none, for instance one scale
     * per tensor as in its paper.
     *
     * @param type weight, input or output
     * @return empty to leave it to the quantizer's defaults
     */
    default Optional<QuantizationScheme> defaultScheme(QuantType type) {
        return Optional.empty();
    }

    /**
     * Makes the quantizer of one point.
     *
     * @param point within the {@link #capabilities()}
     * @param context lent for the quantizer's life
     * @return a new quantizer; the framework closes it
     */
    TensorQuantizer create(QuantizationPoint point, AlgorithmContext context);
}
