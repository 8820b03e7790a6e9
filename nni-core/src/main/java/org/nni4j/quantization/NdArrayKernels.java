package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/** The kernels in plain NDArray operators: any engine, the reference that others are held to. */
final class NdArrayKernels implements QuantizationKernels {

    @Override
    public String name() {
        return "ndarray";
    }

    @Override
    public NDList range(NDArray x, int axis) {
        Channels channels = Channels.of(x, axis);
        if (x.isEmpty()) {
            Shape shape = channels.parameterShape();
            return new NDList(x.getManager().zeros(shape), x.getManager().zeros(shape));
        }
        try (Temporaries temporaries = new Temporaries()) {
            NDArray rows = channels.rows(float32(x.stopGradient()));
            int[] columns = {1};
            return temporaries.keep(new NDList(rows.min(columns, false), rows.max(columns, false)));
        }
    }

    @Override
    public NDList track(NDArray x, NDArray min, NDArray max, double decay, int axis) {
        checkDecay(decay);
        try (Temporaries temporaries = new Temporaries()) {
            NDList range = range(x, axis);
            NDArray low = range.get(0);
            NDArray high = range.get(1);
            if (x.isEmpty()) {
                low = low.add(min);
                high = high.add(max);
            } else if (decay != 0) {
                // The new value first: the result belongs to x's manager.
                low = low.mul((float) (1 - decay)).add(min.mul((float) decay));
                high = high.mul((float) (1 - decay)).add(max.mul((float) decay));
            }
            return temporaries.keep(new NDList(low, high));
        }
    }

    static void checkDecay(double decay) {
        if (!(decay >= 0 && decay < 1)) {
            throw new IllegalArgumentException(
                    "decay " + decay + " is not supported; expected 0 to less than 1");
        }
    }

    @Override
    public NDList parameters(
            NDArray min, NDArray max, QuantizedType type, QuantizationScheme scheme) {
        AffineQuantization.checkType(type);
        try (Temporaries temporaries = new Temporaries()) {
            NDArray low = min.minimum(0f);
            NDArray high = low.zerosLike().maximum(max);
            return temporaries.keep(
                    scheme.isAffine() ? affine(low, high, type) : symmetric(low, high, type));
        }
    }

    private static NDList affine(NDArray low, NDArray high, QuantizedType type) {
        NDArray scale = scale(high.sub(low).div((float) type.qmax() - type.qmin()));
        NDArray zeroPoint = low.div(scale).round().neg().add((float) type.qmin());
        // Clamped as integers: what NaN becomes is undefined, but so it is within the type.
        zeroPoint = zeroPoint.toType(DataType.INT32, false).clip(type.qmin(), type.qmax());
        return new NDList(scale, zeroPoint);
    }

    private static NDList symmetric(NDArray low, NDArray high, QuantizedType type) {
        float half = (type.qmax() - type.qmin()) / 2f;
        NDArray scale = scale(low.neg().maximum(high).div(half));
        int zeroPoint = AffineQuantization.symmetricZeroPoint(type);
        return new NDList(
                scale, scale.getManager().full(scale.getShape(), zeroPoint, DataType.INT32));
    }

    private static NDArray scale(NDArray quotient) {
        NDArray scale = quotient.maximum(AffineQuantization.EPSILON);
        // What is added is 0, or NaN for infinity and NaN.
        return scale.add(scale.sub(scale));
    }

    @Override
    public NDArray fakeQuantize(
            NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis) {
        try (Temporaries temporaries = new Temporaries()) {
            Shape shape = Channels.of(x, axis).broadcastShape();
            NDArray s = scale.reshape(shape).stopGradient();
            NDArray z = float32(zeroPoint).reshape(shape).stopGradient();
            NDArray quotient = float32(x.stopGradient()).div(s);
            NDArray value = quotient.round().add(z).clip(qmin, qmax).sub(z).mul(s);
            // Rounded after z was added, as NNI has it: an unsigned symmetric range ends halfway
            // between two integers, and the largest value must not lose its gradient to a tie.
            NDArray position = quotient.add(z).round();
            return temporaries.keep(straightThrough(x, value, within(position, qmin, qmax)));
        }
    }

    @Override
    public NDArray quantizeDequantize(
            NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis) {
        try (Temporaries temporaries = new Temporaries()) {
            Shape shape = Channels.of(x, axis).broadcastShape();
            NDArray s = scale.reshape(shape).stopGradient();
            NDArray z = float32(zeroPoint).reshape(shape).stopGradient();
            NDArray integer = float32(x.stopGradient()).div(s).round().add(z).clip(qmin, qmax);
            return temporaries.keep(integer.sub(z).mul(s).toType(x.getDataType(), false));
        }
    }

    @Override
    public Observed observe(NDArray x, QuantizedType type, QuantizationScheme scheme, int axis) {
        NDList range = range(x, axis);
        NDList p = parameters(range.get(0), range.get(1), type, scheme);
        try (Temporaries temporaries = new Temporaries()) {
            NDArray value =
                    quantizeDequantize(x, p.get(0), p.get(1), type.qmin(), type.qmax(), axis);
            // Nothing lies outside its own range, though the ends may lie on ties.
            NDArray y = temporaries.keep(straightThrough(x, value, finite(x.stopGradient())));
            return new Observed(y, range.get(0), range.get(1), p.get(0), p.get(1));
        }
    }

    @Override
    public Observed observe(
            NDArray x,
            NDArray min,
            NDArray max,
            double decay,
            QuantizedType type,
            QuantizationScheme scheme,
            int axis) {
        NDList range = track(x, min, max, decay, axis);
        NDList p = parameters(range.get(0), range.get(1), type, scheme);
        NDArray value = fakeQuantize(x, p.get(0), p.get(1), type.qmin(), type.qmax(), axis);
        return new Observed(value, range.get(0), range.get(1), p.get(0), p.get(1));
    }

    @Override
    public NDArray learnedStep(
            NDArray x, NDArray stepSize, int qmin, int qmax, int axis, double gradientScale) {
        try (Temporaries temporaries = new Temporaries()) {
            NDArray zero = x.getManager().zeros(stepSize.getShape());
            return temporaries.keep(
                    learnedStepAndOffset(x, stepSize, zero, qmin, qmax, axis, gradientScale));
        }
    }

    @Override
    public NDArray learnedStepAndOffset(
            NDArray x,
            NDArray stepSize,
            NDArray zeroPoint,
            int qmin,
            int qmax,
            int axis,
            double gradientScale) {
        try (Temporaries temporaries = new Temporaries()) {
            Shape shape = Channels.of(x, axis).broadcastShape();
            NDArray s = positive(stepSize).reshape(shape);
            NDArray z = zeroPoint.stopGradient().round().clip(qmin, qmax).reshape(shape);
            NDArray v = float32(x.stopGradient()).div(s);
            NDArray integer = v.round().add(z).clip(qmin, qmax).sub(z);
            NDArray inside = within(v.add(z), qmin, qmax);
            NDArray outside = inside.logicalNot().toType(DataType.FLOAT32, false);
            NDArray y = straightThrough(x, integer.mul(s), inside);
            NDArray stepGradient = NDArrays.where(inside, integer.sub(v), integer);
            NDArray ds = gradientOf(stepSize).mul(number(x, gradientScale)).reshape(shape);
            NDArray dz = gradientOf(zeroPoint).reshape(shape);
            NDArray learned = stepGradient.mul(ds).sub(outside.mul(s).mul(dz));
            return temporaries.keep(y.addi(learned));
        }
    }

    @Override
    public NDArray binarize(NDArray x, boolean saturating) {
        try (Temporaries temporaries = new Temporaries()) {
            NDArray value = x.stopGradient();
            NDArray inside = saturating ? within(value, -1, 1) : finite(value);
            return temporaries.keep(straightThrough(x, sign(value), inside));
        }
    }

    @Override
    public NDArray tanhQuantize(NDArray w, int bits, boolean differentiated) {
        if (w.isEmpty()) {
            return w.mul(1f);
        }
        try (Temporaries temporaries = new Temporaries()) {
            float k = new QuantizedType(bits, QuantizationDtype.UINT).qmax();
            NDArray tanh = widened(differentiated ? w : w.stopGradient()).tanh();
            NDArray two = number(w, 2);
            NDArray largest = tanh.abs().max().maximum(number(w, AffineQuantization.EPSILON));
            NDArray unit = tanh.div(largest.mul(two)).add(0.5f);
            NDArray value = unit.stopGradient().mul(k).round().mul(2f).div(k).sub(1f);
            if (!differentiated) {
                return temporaries.keep(straightThrough(w, value, finite(w.stopGradient())));
            }
            NDArray y = w.zerosLike().addi(value);
            return temporaries.keep(y.addi(gradientOf(unit.mul(two))));
        }
    }

    @Override
    public NDArray scaledSign(NDArray w) {
        if (w.isEmpty()) {
            return w.mul(1f);
        }
        try (Temporaries temporaries = new Temporaries()) {
            NDArray value = float32(w.stopGradient());
            NDArray scaled = sign(value).mul(value.abs().mean());
            return temporaries.keep(straightThrough(w, scaled, finite(value)));
        }
    }

    @Override
    public NDArray unitQuantize(NDArray x, int bits) {
        try (Temporaries temporaries = new Temporaries()) {
            float k = new QuantizedType(bits, QuantizationDtype.UINT).qmax();
            NDArray value = float32(x.stopGradient());
            NDArray quantized = value.clip(0, 1).mul(k).round().div(k);
            return temporaries.keep(straightThrough(x, quantized, within(value, 0, 1)));
        }
    }

    @Override
    public NDArray clippedQuantize(NDArray x, NDArray level, int bits) {
        try (Temporaries temporaries = new Temporaries()) {
            float k = new QuantizedType(bits, QuantizationDtype.UINT).qmax();
            Shape shape = Channels.of(x, QuantizationParameters.PER_TENSOR).broadcastShape();
            NDArray alpha = positive(level).reshape(shape);
            NDArray s = alpha.div(k);
            NDArray value = float32(x.stopGradient());
            NDArray quantized = value.div(s).round().clip(0, k).mul(s);
            NDArray y = straightThrough(x, quantized, value.gt(0).logicalAnd(value.lt(alpha)));
            NDArray above = value.gte(alpha).toType(DataType.FLOAT32, false);
            NDArray learned = above.mul(gradientOf(level).reshape(shape));
            return temporaries.keep(y.addi(learned));
        }
    }

    /**
     * Gives {@code value} x's type and the gradient of x where {@code inside}, none elsewhere.
     *
     * <p>The usual {@code x + (value - x)} loses the last bit of the value, and turns infinities
     * into NaN; here what is added is exactly 0 and finite.
     */
    private static NDArray straightThrough(NDArray x, NDArray value, NDArray inside) {
        NDArray passed = NDArrays.where(inside, x, x.zerosLike());
        return value.toType(x.getDataType(), false).stopGradient().add(gradientOf(passed));
    }

    /** Zero, with the gradient of x. */
    private static NDArray gradientOf(NDArray x) {
        return x.sub(x.stopGradient());
    }

    /**
     * A number in the engine's own memory. What DJL makes of a Java number is freed with the next
     * garbage collection, and a backward pass that comes later reads whatever is there then; so no
     * number may stand in what autograd remembers.
     */
    private static NDArray number(NDArray like, double value) {
        return like.getManager().zeros(new Shape()).addi((float) value);
    }

    private static NDArray positive(NDArray learned) {
        return learned.stopGradient().maximum(AffineQuantization.EPSILON);
    }

    /** -1 or 1, or NaN. */
    private static NDArray sign(NDArray x) {
        NDArray sign = x.gte(0).toType(x.getDataType(), false).mul(2f).sub(1f);
        return NDArrays.where(x.isNaN(), x, sign);
    }

    private static NDArray within(NDArray x, int min, int max) {
        return x.gte(min).logicalAnd(x.lte(max));
    }

    private static NDArray finite(NDArray x) {
        return x.isNaN().logicalOr(x.isInfinite()).logicalNot();
    }

    /** Converts to float32 with a gradient, which DJL's {@code toType} does not pass. */
    private static NDArray widened(NDArray x) {
        if (x.getDataType() == DataType.FLOAT32) {
            return x;
        }
        Shape ones = Channels.of(x, QuantizationParameters.PER_TENSOR).broadcastShape();
        return x.mul(x.getManager().ones(ones));
    }

    /** Converts without gradient. */
    private static NDArray float32(NDArray x) {
        return x.toType(DataType.FLOAT32, false);
    }
}
