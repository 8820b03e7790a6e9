package org.nni4j.algorithms.dynamic;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import java.util.Optional;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationParameters;

/**
 * Quantizes an activation by the range it has in this call. Nothing is remembered, so there is no
 * calibration.
 */
final class DynamicInputQuantizer implements TensorQuantizer {

    private final Profile profile;
    private final boolean reduced;

    DynamicInputQuantizer(Profile profile, boolean reduced) {
        this.profile = profile;
        this.reduced = reduced;
    }

    /**
     * Turns an activation into integers. A range that is not finite gives NaN throughout.
     *
     * @param tensor float32 of any shape
     * @return owned by the tensor's manager
     */
    Integers integers(NDArray tensor) {
        NDManager manager = tensor.getManager();
        if (tensor.isEmpty()) {
            return new Integers(tensor, manager.ones(new Shape(1)));
        }
        float min = tensor.min().toFloatArray()[0];
        float max = tensor.max().toFloatArray()[0];
        if (!Float.isFinite(min) || !Float.isFinite(max)) {
            NDArray nan = manager.create(new float[] {Float.NaN});
            return new Integers(tensor.zerosLike().mul(nan), nan);
        }
        QuantizationParameters parameters = profile.activation(min, max, reduced);
        float scale = parameters.scale()[0];
        float zeroPoint = parameters.zeroPoint()[0];
        float inverse = profile.inverse(scale);
        NDArray position = Float.isNaN(inverse) ? tensor.div(scale) : tensor.mul(inverse);
        // clamp(round(x / s) + z, 0, 255) - z
        NDArray integers = position.round().clip(-zeroPoint, Profile.UINT8 - zeroPoint);
        return new Integers(integers, manager.create(new float[] {scale}));
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        try (NDManager scope = tensor.getManager().newSubManager()) {
            NDArray plain = Scoped.float32(tensor, scope);
            return Scoped.result(integers(plain).dequantize(), tensor);
        }
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        return Optional.empty();
    }

    @Override
    public void restore(TensorCalibration calibration) {
        // the range of the next call decides
    }

    @Override
    public QuantizerState state() {
        return new QuantizerState(Map.of(), Map.of());
    }

    @Override
    public void load(QuantizerState state) {
        // there is none
    }

    @Override
    public void close() {
        // nothing is kept
    }
}
