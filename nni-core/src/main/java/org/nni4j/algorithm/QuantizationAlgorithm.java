package org.nni4j.algorithm;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.LayerArithmetic;
import org.nni4j.fakequant.NetworkExit;
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
     * Checks what belongs together in one layer, for instance that inputs are quantized where
     * weights are. Each point was {@linkplain #check(QuantizationPoint) checked} already.
     *
     * @param points all points of a layer, at least one
     * @throws IllegalArgumentException if the algorithm cannot do that; the message says what it
     *     can
     */
    default void checkLayer(List<QuantizationPoint> points) {}

    /**
     * Returns the types of layers the algorithm works on.
     *
     * @return for instance {@code Linear}; empty if it works on any
     */
    default Set<String> layerTypes() {
        return Set.of();
    }

    /**
     * Returns what computes a layer's operators, where fake-quantized weights, inputs and outputs
     * around the engine's own operators do not say what the algorithm does. Output points, start
     * steps and folding are not for such layers.
     *
     * @param points all points of the layer
     * @param context lent for the quantizer's life
     * @return empty for the engine's own operators
     */
    default Optional<LayerArithmetic> arithmetic(
            List<QuantizationPoint> points, AlgorithmContext context) {
        return Optional.empty();
    }

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
     * Tells whether there is anything to calibrate at a point. There is not where quantization
     * leaves the tensor itself as it is, as that of gradients does: such a point has no {@link
     * TensorQuantizer#calibration()} however much data it sees, and computes in float where the
     * network is exported.
     *
     * @param point within the capabilities
     * @return true for most algorithms
     */
    default boolean hasCalibration(QuantizationPoint point) {
        return true;
    }

    /**
     * Returns what is given the outputs of the whole network, where the algorithm has to do
     * something between the network and the loss.
     *
     * @param points all points of the network
     * @return empty for most algorithms
     */
    default Optional<NetworkExit> exit(List<QuantizationPoint> points) {
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
