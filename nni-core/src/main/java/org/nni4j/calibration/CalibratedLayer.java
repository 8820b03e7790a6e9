package org.nni4j.calibration;

import com.google.common.collect.Sets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.nni4j.config.QuantType;

/**
 * The quantized tensors of one layer.
 *
 * @param path the layer's dotted path
 * @param type its type, for instance {@code Conv2d}
 * @param foldedBatchNorm path of the BatchNorm that was folded into this layer; empty text if none
 *     was
 * @param tensors in the order weight, input, output
 * @param unobserved what is to be quantized but has seen no data yet
 */
public record CalibratedLayer(
        String path,
        String type,
        String foldedBatchNorm,
        List<CalibratedTensor> tensors,
        Set<QuantType> unobserved) {

    /** Copies the collections. */
    public CalibratedLayer {
        tensors = List.copyOf(tensors);
        unobserved = Sets.immutableEnumSet(unobserved);
    }

    /**
     * Finds one tensor.
     *
     * @param quantType weight, input or output
     * @param tensor the parameter's name, or the position
     * @return empty if that tensor is not quantized
     */
    public Optional<TensorCalibration> tensor(QuantType quantType, String tensor) {
        return tensors.stream()
                .filter(t -> t.quantType() == quantType && t.tensor().equals(tensor))
                .map(CalibratedTensor::calibration)
                .findFirst();
    }
}
