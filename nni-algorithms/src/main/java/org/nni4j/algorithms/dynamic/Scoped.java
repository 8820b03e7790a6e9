package org.nni4j.algorithms.dynamic;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;

/** Arrays on their way into a scope that owns what is computed from them, and out of it. */
final class Scoped {

    private Scoped() {}

    /** A view or copy that belongs to the scope, float32 and without gradient. */
    static NDArray float32(NDArray tensor, NDManager scope) {
        NDArray plain = tensor.stopGradient();
        plain.attach(scope);
        NDArray converted = plain.toType(DataType.FLOAT32, false);
        converted.attach(scope);
        return converted;
    }

    /**
     * A result that leaves the scope: owned by the manager of what it was computed from, and of its
     * type.
     */
    static NDArray result(NDArray computed, NDArray from) {
        NDArray converted = computed.toType(from.getDataType(), false);
        converted.attach(from.getManager());
        return converted;
    }
}
