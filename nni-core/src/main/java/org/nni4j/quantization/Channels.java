package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How the values of a tensor share scales: all one, or one for each index along an axis.
 *
 * @param shape the tensor's shape
 * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
 */
record Channels(Shape shape, int axis) {

    Channels {
        if (axis < QuantizationParameters.PER_TENSOR || axis >= shape.dimension()) {
            throw new IllegalArgumentException(
                    "channel axis " + axis + " is outside shape " + shape);
        }
    }

    static Channels of(NDArray x, int axis) {
        return new Channels(x.getShape(), axis);
    }

    boolean isPerTensor() {
        return axis == QuantizationParameters.PER_TENSOR;
    }

    /** The shape of ranges, scales and zero points. */
    Shape parameterShape() {
        return new Shape(isPerTensor() ? 1 : shape.get(axis));
    }

    /** The shape that lets them broadcast against the tensor without changing its rank. */
    Shape broadcastShape() {
        long[] ones = new long[shape.dimension()];
        Arrays.fill(ones, 1);
        if (!isPerTensor()) {
            ones[axis] = shape.get(axis);
        }
        return new Shape(ones);
    }

    /** One row of values per channel; x has this shape and is not empty. */
    NDArray rows(NDArray x) {
        if (isPerTensor()) {
            return x.reshape(1, -1);
        }
        if (axis == 0) {
            return x.reshape(shape.get(0), -1);
        }
        IntStream others = IntStream.range(0, shape.dimension()).filter(i -> i != axis);
        int[] order = IntStream.concat(IntStream.of(axis), others).toArray();
        return x.transpose(order).reshape(shape.get(axis), -1);
    }
}
