package org.nni4j.algorithms.naive;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Map;
import java.util.Optional;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationParameters;

/**
 * {@code ŵ = trunc(w / s) · s} with {@code s} the largest {@code max|w| / 127} seen so far: the
 * scale never shrinks. It truncates toward zero where every other quantizer here rounds, because
 * NNI's does. The gradient passes unchanged.
 */
final class NaiveWeightQuantizer implements TensorQuantizer {

    private final QuantizationPoint point;
    private float scale;

    NaiveWeightQuantizer(QuantizationPoint point) {
        this.point = point;
    }

    @Override
    public NDArray quantize(NDArray weight, ForwardContext context) {
        if (weight.size() == 0) {
            return weight;
        }
        NDArray plain = weight.stopGradient();
        // In float32, whatever the weight's type, as all kernels compute.
        NDArray numbers = plain.toType(DataType.FLOAT32, false);
        float s = scaleFor(numbers, context.training());
        NDArray value = numbers.div(s).trunc().mul(s).toType(weight.getDataType(), false);
        // What is added is exactly 0, and carries the gradient: value + w - w would lose the last
        // bit.
        return context.training() ? value.add(weight.sub(plain)) : value;
    }

    /** Training moves the scale; evaluation only uses what it would be. */
    private synchronized float scaleFor(NDArray numbers, boolean training) {
        float largest = numbers.abs().max().toFloatArray()[0];
        float s = Math.max(scale, largest / point.type().qmax());
        if (training) {
            scale = s;
        }
        return Math.max(s, AffineQuantization.EPSILON);
    }

    @Override
    public synchronized void describe(NDArray weight) {
        scale = scaleFor(weight.stopGradient().toType(DataType.FLOAT32, false), true);
    }

    @Override
    public synchronized Optional<TensorCalibration> calibration() {
        if (scale == 0) {
            return Optional.empty();
        }
        float largest = scale * point.type().qmax();
        return Optional.of(
                new TensorCalibration(
                        point.type(),
                        point.scheme(),
                        QuantizationParameters.perTensor(scale, 0),
                        new float[] {-largest},
                        new float[] {largest}));
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        scale = calibration.parameters().scale()[0];
    }

    @Override
    public synchronized QuantizerState state() {
        return new QuantizerState(Map.of("scale", new float[] {scale}), Map.of());
    }

    @Override
    public synchronized void load(QuantizerState state) {
        scale = state.array("scale", 1)[0];
    }

    @Override
    public void close() {
        // nothing native is kept
    }
}
