package org.nni4j.algorithms.pact;

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
 * Quantizes weights onto {@code 2^bits} even levels from -α to α, none of which is 0.
 *
 * <p>DoReFa has α = 1 after tanh; at 1 bit it is {@code E|w|}. SAWB finds α by {@link
 * SawbClipping}, and passes gradients straight through. Every value follows from the weight; α is
 * noted for the calibration.
 */
final class PactWeightQuantizer implements TensorQuantizer {

    private final QuantizationKernels kernels;
    private final int bits;
    private final boolean sawb;
    private final QuantizedType stored;
    private volatile float largest;

    PactWeightQuantizer(QuantizationKernels kernels, int bits, boolean sawb, QuantizedType stored) {
        this.kernels = kernels;
        this.bits = bits;
        this.sawb = sawb;
        this.stored = stored;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (!context.quantizing()) {
            return tensor;
        }
        if (sawb) {
            return sawb(tensor);
        }
        return bits == 1 ? kernels.scaledSign(tensor) : kernels.tanhQuantize(tensor, bits, true);
    }

    private NDArray sawb(NDArray weight) {
        NDArray plain = weight.stopGradient();
        NDArray level = SawbClipping.of(bits).level(plain);
        int k = (1 << bits) - 1;
        NDArray steps = plain.div(level).clip(-1, 1).add(1).mul(k / 2f).round();
        NDArray value = steps.mul(2).sub(k).mul(level.div(k));
        // What is added is exactly 0, and carries the gradient.
        return value.add(weight.sub(plain));
    }

    @Override
    public void describe(NDArray weight) {
        NDArray plain = weight.stopGradient();
        if (sawb) {
            largest = positive(SawbClipping.of(bits).level(plain));
        } else {
            // The sign's kernel computes its magnitude in float32 too.
            NDArray numbers = plain.toType(DataType.FLOAT32, false);
            largest = bits == 1 ? positive(numbers.abs().mean()) : 1;
        }
    }

    /** SAWB's coefficients are doubles, and make a single number one. */
    private static float positive(NDArray scalar) {
        float value = scalar.toType(DataType.FLOAT32, false).toFloatArray()[0];
        return Math.max(value, AffineQuantization.EPSILON);
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        if (largest == 0) {
            return Optional.empty();
        }
        return Optional.of(
                new TensorCalibration(
                        stored,
                        QuantizationScheme.PER_TENSOR_SYMMETRIC,
                        QuantizationParameters.perTensor(largest / ((1 << bits) - 1), 0),
                        new float[] {-largest},
                        new float[] {largest}));
    }

    /** The weight itself says everything. */
    @Override
    public void restore(TensorCalibration calibration) {
        largest = calibration.parameters().scale()[0] * ((1 << bits) - 1);
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
