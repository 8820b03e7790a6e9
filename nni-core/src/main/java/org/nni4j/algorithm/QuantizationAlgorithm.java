package org.nni4j.algorithm;

import java.util.Optional;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

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
     * Checks what {@link #capabilities()} cannot say, the values of settings for instance.
     *
     * @param point within the capabilities
     * @throws IllegalArgumentException if the algorithm cannot do that; the message says what it
     *     can
     */
    default void check(QuantizationPoint point) {}

    /**
     * Returns the integer type that calibrations of a point are of: another than the point's where
     * the algorithm's levels are not those of that type, as with two levels -1 and 1.
     *
     * @param point within the capabilities
     * @return the type of {@link TensorQuantizer#calibration()}
     */
    default QuantizedType calibratedType(QuantizationPoint point) {
        return point.type();
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
