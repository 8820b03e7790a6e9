package org.nni4j.algorithms.bnn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
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

    private static final String DRAWS = "draws";

    private final QuantizationKernels kernels;
    private final boolean weight;
    private final boolean stochastic;
    private final long seed;
    private long draws;

    SignQuantizer(QuantizationKernels kernels, boolean weight, boolean stochastic, long seed) {
        this.kernels = kernels;
        this.weight = weight;
        this.stochastic = stochastic;
        this.seed = seed;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (!context.quantizing()) {
            return tensor;
        }
        if (!stochastic || !context.training()) {
            return kernels.binarize(tensor, !weight);
        }
        NDArray noise = noise(tensor);
        if (weight) {
            return kernels.binarize(tensor.add(noise), false);
        }
        NDArray passed = tensor.clip(-1, 1);
        NDArray sign = kernels.binarize(tensor.stopGradient().add(noise), false);
        return sign.add(passed.sub(passed.stopGradient()));
    }

    /**
     * Uniform in [-1, 1): {@code x + noise >= 0} with probability {@code clip((x + 1) / 2, 0, 1)}
     * (eq. 2). Drawn here and not by the engine, whose generator cannot be saved, so that a resumed
     * run draws what it would have drawn.
     */
    private NDArray noise(NDArray tensor) {
        SplittableRandom random = new SplittableRandom(seed + 0x9E3779B97F4A7C15L * nextDraw());
        float[] values = new float[Math.toIntExact(tensor.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextInt() >> 8) * 0x1p-23f;
        }
        return tensor.getManager()
                .create(values, tensor.getShape())
                .toType(tensor.getDataType(), false);
    }

    private synchronized long nextDraw() {
        return ++draws;
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
    public synchronized QuantizerState state() {
        return new QuantizerState(Map.of(), stochastic ? Map.of(DRAWS, draws) : Map.of());
    }

    @Override
    public synchronized void load(QuantizerState state) {
        if (stochastic) {
            draws = state.counter(DRAWS);
        }
    }

    @Override
    public void close() {}
}
