package org.nni4j.algorithms.dorefa;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
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
        NDArray wide = widened(gradient);
        NDArray quantized = quantize(wide, noise.draw(wide, half), bits);
        return quantized.toType(gradient.getDataType(), false);
    }

    /** Quantizes a gradient whose first axis is that of examples. */
    static NDArray quantize(NDArray gradient, NDArray noise, int bits) {
        if (gradient.isEmpty()) {
            return gradient;
        }
        float k = (1 << bits) - 1;
        Shape shape = gradient.getShape();
        NDArray rows = widened(gradient).reshape(shape.get(0), -1);
        NDArray moves = widened(noise).reshape(shape.get(0), -1);
        NDArray largest = rows.abs().max(new int[] {1}, true);
        // The factor 2 stands apart: twice the largest gradient need not be a number of the type.
        NDArray unit = rows.div(largest.maximum(smallest(rows))).mul(.5f).add(.5f).add(moves);
        NDArray level = unit.clip(0, 1).mul(k).round().div(k).sub(.5f);
        return level.mul(2).mul(largest).reshape(shape).toType(gradient.getDataType(), false);
    }

    /** Of half precision there is too little for levels, and for the noise between them. */
    private static NDArray widened(NDArray numbers) {
        return numbers.getDataType() == DataType.FLOAT64
                ? numbers
                : numbers.toType(DataType.FLOAT32, false);
    }

    /** What a gradient of nothing is divided by. */
    private static Number smallest(NDArray wide) {
        return wide.getDataType() == DataType.FLOAT64
                ? (Number) Double.MIN_NORMAL
                : (Number) Float.MIN_NORMAL;
    }

    /** Nothing of the output itself is quantized; see {@link DoReFaAlgorithm#hasCalibration}. */
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
