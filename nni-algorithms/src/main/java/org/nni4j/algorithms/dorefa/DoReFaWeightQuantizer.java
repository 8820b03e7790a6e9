package org.nni4j.algorithms.dorefa;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Map;
import java.util.Optional;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Quantizes weights: {@code 2 · round(k · v) / k - 1} with {@code v = tanh(w) / (2 · max|tanh(w)|)
 * + 1/2} and {@code k = 2^bits - 1} (eq. 9), or {@code sign(w) · E|w|} at 1 bit (eq. 7).
 *
 * <p>Nothing is remembered: every value follows from the weight. At 1 bit the magnitude is noted
 * for the calibration.
 */
final class DoReFaWeightQuantizer implements TensorQuantizer {

    private final QuantizationKernels kernels;
    private final int bits;
    private final boolean nni;
    private final QuantizedType stored;
    private volatile float scale;

    DoReFaWeightQuantizer(
            QuantizationKernels kernels, int bits, boolean nni, QuantizedType stored) {
        this.kernels = kernels;
        this.bits = bits;
        this.nni = nni;
        this.stored = stored;
        this.scale = hasMagnitude() ? 0 : 1f / ((1 << bits) - 1);
    }

    private boolean hasMagnitude() {
        return bits == 1 && !nni;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (!context.quantizing()) {
            return tensor;
        }
        return hasMagnitude()
                ? kernels.scaledSign(tensor)
                : kernels.tanhQuantize(tensor, bits, !nni);
    }

    @Override
    public void describe(NDArray weight) {
        if (hasMagnitude()) {
            NDArray numbers = weight.stopGradient().toType(DataType.FLOAT32, false);
            float mean = numbers.abs().mean().toFloatArray()[0];
            scale = Math.max(mean, AffineQuantization.EPSILON);
        }
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        if (scale == 0) {
            return Optional.empty();
        }
        float largest = scale * ((1 << bits) - 1);
        return Optional.of(
                new TensorCalibration(
                        stored,
                        QuantizationScheme.PER_TENSOR_SYMMETRIC,
                        QuantizationParameters.perTensor(scale, 0),
                        new float[] {-largest},
                        new float[] {largest}));
    }

    /** The weight itself says everything. */
    @Override
    public void restore(TensorCalibration calibration) {
        scale = calibration.parameters().scale()[0];
    }

    @Override
    public QuantizerState state() {
        return new QuantizerState(Map.of(), Map.of());
    }

    @Override
    public void load(QuantizerState state) {}

    @Override
    public void close() {}
}
