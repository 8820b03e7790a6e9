package org.nni4j.algorithms.dorefa;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;

/**
 * Leaves an output as it is, and quantizes its gradient (eq. 12):
 *
 * <pre>{@code
 * 2 · m · (quantize_k(g / (2 · m) + 1/2 + noise) - 1/2),  m = max|g| of each example
 * }</pre>
 *
 * <p>The noise is uniform in {@code ± 1/2 / (2^k - 1)}. As in the authors' code, what it carries
 * out of [0, 1] is clipped.
 */
final class DoReFaGradientQuantizer implements TensorQuantizer {

    private static final String DRAWS = "draws";

    private final GradientCuts cuts;
    private final int bits;
    private final long seed;
    private long draws;

    DoReFaGradientQuantizer(GradientCuts cuts, int bits, long seed) {
        this.cuts = cuts;
        this.bits = bits;
        this.seed = seed;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        return context.training() && context.quantizing()
                ? cuts.cut(tensor, this::quantizeGradient, context.step())
                : tensor;
    }

    private NDArray quantizeGradient(NDArray gradient) {
        return quantize(gradient, noise(gradient), bits);
    }

    /** Quantizes a gradient whose first axis is that of examples. */
    static NDArray quantize(NDArray gradient, NDArray noise, int bits) {
        if (gradient.isEmpty()) {
            return gradient;
        }
        float k = (1 << bits) - 1;
        Shape shape = gradient.getShape();
        NDArray rows = gradient.reshape(shape.get(0), -1);
        NDArray largest = rows.abs().max(new int[] {1}, true).maximum(Float.MIN_NORMAL);
        NDArray unit = rows.div(largest.mul(2)).add(.5f).add(noise.reshape(shape.get(0), -1));
        NDArray level = unit.clip(0, 1).mul(k).round().div(k).sub(.5f);
        return level.mul(largest.mul(2)).reshape(shape);
    }

    /** Drawn here and not by the engine, whose generator cannot be saved. */
    private NDArray noise(NDArray gradient) {
        SplittableRandom random = new SplittableRandom(seed + 0x9E3779B97F4A7C15L * nextDraw());
        float[] values = new float[Math.toIntExact(gradient.size())];
        float width = 1f / ((1 << bits) - 1);
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextInt() >> 8) * 0x1p-24f * width;
        }
        return gradient.getManager().create(values, gradient.getShape());
    }

    private synchronized long nextDraw() {
        return ++draws;
    }

    /** Nothing of the output itself is quantized. */
    @Override
    public Optional<TensorCalibration> calibration() {
        return Optional.empty();
    }

    @Override
    public void restore(TensorCalibration calibration) {
        // see calibration()
    }

    @Override
    public synchronized QuantizerState state() {
        return new QuantizerState(Map.of(), Map.of(DRAWS, draws));
    }

    @Override
    public synchronized void load(QuantizerState state) {
        draws = state.counter(DRAWS);
    }

    @Override
    public void close() {
        cuts.discard();
    }
}
