package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import java.util.Map;
import java.util.Optional;
import org.nni4j.calibration.TensorCalibration;

/** Takes part in everything and changes nothing; tests override what they are about. */
public class OffQuantizer implements TensorQuantizer {

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        return tensor;
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        return Optional.empty();
    }

    @Override
    public void restore(TensorCalibration calibration) {
        // there is nothing to restore
    }

    @Override
    public QuantizerState state() {
        return new QuantizerState(Map.of(), Map.of());
    }

    @Override
    public void load(QuantizerState state) {
        // there is nothing to load
    }

    @Override
    public void close() {
        // nothing is kept
    }
}
