package org.nni4j.algorithms.dorefa;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Optional;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.fakequant.UniformNoise;

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

    private final GradientCuts cuts;
    private final int bits;
    private final UniformNoise noise;

    DoReFaGradientQuantizer(GradientCuts cuts, int bits, UniformNoise noise) {
        this.cuts = cuts;
        this.bits = bits;
        this.noise = noise;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        return context.training() && context.quantizing()
                ? cuts.cut(tensor, this::quantizeGradient, context)
                : tensor;
    }

    private NDArray quantizeGradient(NDArray gradient) {
        float half = 0.5f / ((1 << bits) - 1);
        return quantize(gradient, noise.draw(gradient, half), bits);
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
    public QuantizerState state() {
        return noise.state();
    }

    @Override
    public void load(QuantizerState state) {
        noise.load(state);
    }

    @Override
    public void close() {
        cuts.discard();
    }
}
