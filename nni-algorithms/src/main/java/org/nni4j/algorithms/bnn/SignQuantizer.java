package org.nni4j.algorithms.bnn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import java.util.Map;
import java.util.Optional;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.fakequant.UniformNoise;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;

/**
 * Gives the sign, with that of 0 being 1.
 *
 * <p>The gradient of inputs and outputs is hard tanh's: it passes where {@code |x| <= 1} (eq. 4).
 * That of weights passes everywhere, and the master weight is clipped to [-1, 1] after each update
 * instead (algorithm 1).
 */
final class SignQuantizer implements TensorQuantizer {

    private final QuantizationKernels kernels;
    private final boolean weight;
    private final boolean stochastic;
    private final UniformNoise noise;

    SignQuantizer(
            QuantizationKernels kernels, boolean weight, boolean stochastic, UniformNoise noise) {
        this.kernels = kernels;
        this.weight = weight;
        this.stochastic = stochastic;
        this.noise = noise;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (!context.quantizing()) {
            return tensor;
        }
        if (!stochastic || !context.training()) {
            return kernels.binarize(tensor, !weight);
        }
        // x + drawn >= 0 with probability clip((x + 1) / 2, 0, 1), which is eq. 2.
        NDArray drawn = noise.draw(tensor, 1);
        if (weight) {
            return kernels.binarize(tensor.add(drawn), false);
        }
        NDArray passed = tensor.clip(-1, 1);
        NDArray sign = kernels.binarize(tensor.stopGradient().add(drawn), false);
        return sign.add(passed.sub(passed.stopGradient()));
    }

    @Override
    public void afterUpdate(NDArray master) {
        if (weight) {
            // The scope also closes what the engine makes of the bounds.
            try (NDScope scope = new NDScope()) {
                master.stopGradient().clip(-1, 1).copyTo(master);
                scope.suppressNotUsedWarning();
            }
        }
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        return Optional.of(
                new TensorCalibration(
                        BNNAlgorithm.STORED,
                        QuantizationScheme.PER_TENSOR_SYMMETRIC,
                        QuantizationParameters.perTensor(1, 0),
                        new float[] {-1},
                        new float[] {1}));
    }

    @Override
    public void restore(TensorCalibration calibration) {}

    @Override
    public QuantizerState state() {
        return stochastic ? noise.state() : new QuantizerState(Map.of(), Map.of());
    }

    @Override
    public void load(QuantizerState state) {
        if (stochastic) {
            noise.load(state);
        }
    }

    @Override
    public void close() {}
}
