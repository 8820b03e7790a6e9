package org.nni4j.algorithm;

import ai.djl.ndarray.types.Shape;
import java.util.Map;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * One tensor of one layer that is to be quantized, and how.
 *
 * @param layer the layer's dotted path
 * @param layerType for instance {@code Conv2d}
 * @param quantType weight, input or output
 * @param tensor the parameter's name for a weight; the position ("0", "1", …) of an input or output
 * @param type bits and dtype
 * @param scheme affine or symmetric, per tensor or channel
 * @param channelAxis the axis that per-channel schemes keep: 0 for most weights, 1 for the weights
 *     of transposed convolutions and for most inputs and outputs, {@link #LAST_AXIS} where features
 *     come last
 * @param startStep quantization begins with this step; 0 and 1 mean at once
 * @param entry index of the config entry that decided
 * @param settings algorithm settings of that entry, checked against {@link
 *     QuantizationAlgorithm#capabilities()}
 */
public record QuantizationPoint(
        String layer,
        String layerType,
        QuantType quantType,
        String tensor,
        QuantizedType type,
        QuantizationScheme scheme,
        int channelAxis,
        int startStep,
        int entry,
        Map<String, Object> settings) {

    /** Stands for the last axis, whatever the rank. */
    public static final int LAST_AXIS = -1;

    /** Copies the settings. */
    public QuantizationPoint {
        settings = Map.copyOf(settings);
    }

    /**
     * Returns the axis whose positions have a scale of their own.
     *
     * @param shape the tensor's shape
     * @return an axis of the shape, or {@link QuantizationParameters#PER_TENSOR} for per-tensor
     *     schemes
     * @throws IllegalArgumentException if the shape has no such axis
     */
    public int axis(Shape shape) {
        if (!scheme.isPerChannel()) {
            return QuantizationParameters.PER_TENSOR;
        }
        int axis = channelAxis == LAST_AXIS ? shape.dimension() - 1 : channelAxis;
        if (axis < 0 || axis >= shape.dimension()) {
            throw new IllegalArgumentException(
                    this + ": channel axis " + axis + " is outside shape " + shape);
        }
        return axis;
    }

    /** Names the point as errors do: {@code layer "01Conv2d" (Conv2d), input 0}. */
    @Override
    public String toString() {
        return "layer \"" + layer + "\" (" + layerType + "), " + quantType.key() + " " + tensor;
    }
}
