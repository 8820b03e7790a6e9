package org.nni4j.algorithms.dynamic;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;

/**
 * A tensor as integers and a scale.
 *
 * @param values whole numbers, the zero point already subtracted, float32
 * @param scale float32 of shape {@code (1)}, or one per channel along the first axis
 */
record Integers(NDArray values, NDArray scale) {

    /* Products are summed in floating point, and exactly: float32 holds every integer up to 2^24, and no sum of this many
     * products of 255 and 128 is larger. Longer sums are taken in float64, exact up to 2^53. An int32 sum as runtimes take
     * it, converted to float32, is the same number. */
    private static final long LONGEST_FLOAT32_SUM = (1 << 24) / (255 * 128);

    /** What the integers stand for. */
    NDArray dequantize() {
        return values.mul(scale.size() == 1 ? scale : perRow(scale, values));
    }

    /** A vector laid out so that it meets the first axis of a tensor. */
    static NDArray perRow(NDArray vector, NDArray tensor) {
        long[] shape = new long[tensor.getShape().dimension()];
        Arrays.fill(shape, 1);
        shape[0] = vector.size();
        return vector.reshape(shape);
    }

    /** A weight {@code [out, in]} made ready for products. */
    Weight asWeight() {
        boolean exact = values.getShape().get(1) <= LONGEST_FLOAT32_SUM;
        NDArray transposed = values.transpose();
        return new Weight(exact ? transposed : transposed.toType(DataType.FLOAT64, false), scale);
    }

    /**
     * A weight made ready for products.
     *
     * @param transposed integers {@code [in, out]}, float64 where float32 could not hold the sums
     * @param scale float32 of shape {@code (1)} or {@code (out)}
     */
    record Weight(NDArray transposed, NDArray scale) {

        /**
         * The product with an activation: {@code float(Σ x·w) · (s_x · s_w)}.
         *
         * @param x integers {@code [..., in]} with one scale
         * @return float32 {@code [..., out]}, owned by x's manager
         */
        NDArray product(Integers x) {
            NDArray sum = x.values().toType(transposed.getDataType(), false).matMul(transposed);
            return sum.toType(DataType.FLOAT32, false).mul(x.scale().mul(scale));
        }
    }
}
