package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.Optional;

/** Tells whether numbers are NaN or infinite, and how many. */
public final class NonFinite {

    private NonFinite() {}

    /**
     * Looks through a tensor; one number is read back.
     *
     * @param tensor any shape and type
     * @return for instance {@code 3 of 784 values are NaN}; empty if all are finite
     */
    public static Optional<String> in(NDArray tensor) {
        if (!tensor.getDataType().isFloating() || tensor.size() == 0) {
            return Optional.empty();
        }
        try (NDManager scope = tensor.getManager().newSubManager()) {
            NDArray alias = tensor.stopGradient();
            alias.attach(scope);
            NDArray values = alias.toType(DataType.FLOAT32, false);
            // 0 where a value is finite, NaN elsewhere; a plain sum of large values may overflow.
            if (!Float.isNaN(values.sub(values).sum().toFloatArray()[0])) {
                return Optional.empty();
            }
            return in(values.toFloatArray());
        }
    }

    /**
     * Looks through values.
     *
     * @param values any
     * @return as for a tensor
     */
    public static Optional<String> in(float... values) {
        int nan = 0;
        int infinite = 0;
        for (float value : values) {
            nan += Float.isNaN(value) ? 1 : 0;
            infinite += Float.isInfinite(value) ? 1 : 0;
        }
        if (nan + infinite == 0) {
            return Optional.empty();
        }
        int count = nan == 0 ? infinite : nan;
        return Optional.of(
                count
                        + " of "
                        + values.length
                        + (count == 1 ? " values is " : " values are ")
                        + (nan == 0 ? "infinite" : "NaN"));
    }
}
