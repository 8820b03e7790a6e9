package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
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
        Shape shape = Channels.of(x, axis).parameterShape();
        if (x.isEmpty()) {
            return new NDList(x.getManager().zeros(shape), x.getManager().zeros(shape));
        }
        try (Temporaries temporaries = new Temporaries()) {
            NDArray flat = Channels.of(x, axis).rows(float32(x.stopGradient()));
            int[] columns = {1};
            NDArray min = flat.min(columns, false);
            NDArray max = flat.max(columns, false);
            return temporaries.keep(new NDList(min, max));
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
        float steps = type.qmax() - type.qmin();
        NDArray scale = high.sub(low).div(steps).maximum(AffineQuantization.EPSILON);
        NDArray zeroPoint = low.div(scale).round().neg().add((float) type.qmin());
        // Clamped as integers: what a NaN range becomes there is undefined, but stays in range.
        zeroPoint = zeroPoint.toType(DataType.INT32, false).clip(type.qmin(), type.qmax());
        return new NDList(scale, zeroPoint);
    }

    private static NDList symmetric(NDArray low, NDArray high, QuantizedType type) {
        float half = (type.qmax() - type.qmin()) / 2f;
        NDArray scale = low.neg().maximum(high).div(half).maximum(AffineQuantization.EPSILON);
        int zeroPoint = AffineQuantization.symmetricZeroPoint(type);
        return new NDList(
                scale, scale.getManager().full(scale.getShape(), zeroPoint, DataType.INT32));
    }

    @Override
    public NDArray fakeQuantize(
            NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis) {
        try (Temporaries temporaries = new Temporaries()) {
            Shape broadcast = Channels.of(x, axis).broadcastShape();
            NDArray s = scale.reshape(broadcast).stopGradient();
            NDArray z = float32(zeroPoint).reshape(broadcast).stopGradient();
            NDArray quotient = float32(x.stopGradient()).div(s);
            NDArray integer = quotient.round().add(z).clip(qmin, qmax);
            NDArray value = integer.sub(z).mul(s).toType(x.getDataType(), false);
            // Rounded after z was added, as NNI has it: an unsigned symmetric range ends halfway between
            // two integers, and the largest value must not lose its gradient to a tie.
            NDArray position = quotient.add(z).round();
            NDArray inside = position.gte(qmin).logicalAnd(position.lte(qmax));
            return temporaries.keep(straightThrough(x, value, inside));
        }
    }

    @Override
    public NDArray quantizeDequantize(
            NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis) {
        try (Temporaries temporaries = new Temporaries()) {
            Shape broadcast = Channels.of(x, axis).broadcastShape();
            NDArray s = scale.reshape(broadcast).stopGradient();
            NDArray z = float32(zeroPoint).reshape(broadcast).stopGradient();
            NDArray integer = float32(x.stopGradient()).div(s).round().add(z).clip(qmin, qmax);
            return temporaries.keep(integer.sub(z).mul(s).toType(x.getDataType(), false));
        }
    }

    /**
     * Gives {@code value} the gradient of x where {@code inside}, and none elsewhere.
     *
     * <p>The usual {@code x + (value - x)} loses the last bit of the value, and turns infinities into
     * NaN; here what is added is exactly 0 and finite.
     */
    private static NDArray straightThrough(NDArray x, NDArray value, NDArray inside) {
        NDArray passed = NDArrays.where(inside, x, x.zerosLike());
        return value.add(passed.sub(passed.stopGradient()));
    }

    private static NDArray float32(NDArray x) {
        return x.toType(DataType.FLOAT32, false);
    }

    /**
     * Closes what is created while it is open, whoever owns it, except what is kept. Autograd holds
     * what it needs by itself.
     */
    private static final class Temporaries implements AutoCloseable {

        private final NDScope scope = new NDScope();
        private NDList kept = new NDList();

        NDArray keep(NDArray result) {
            keep(new NDList(result));
            return result;
        }

        NDList keep(NDList results) {
            NDScope.unregister(results);
            kept = results;
            return results;
        }

        @Override
        public void close() {
            scope.close();
            // A scope of the caller must find the results, as it would without this one.
            kept.forEach(NDScope::register);
        }
    }
}
