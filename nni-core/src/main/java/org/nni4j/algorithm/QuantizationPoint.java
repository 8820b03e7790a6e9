package org.nni4j.algorithm;

import java.util.Map;
import org.nni4j.config.QuantType;
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
 * @param channelAxis the axis that per-channel schemes keep: 0 for most weights, 1 for transposed
 *     convolutions' weights and for inputs and outputs
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

    /** Copies the settings. */
    public QuantizationPoint {
        settings = Map.copyOf(settings);
    }
}
