package org.nni4j.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/** The matrix products of two batches of matrices: {@code [b, n, m]} by {@code [b, m, p]}. */
public final class BatchMatMul extends MultiInputBlock {

    /** Makes the block. */
    public BatchMatMul() {
        super(2, 2);
    }

    @Override
    NDArray compute(NDList inputs) {
        return inputs.get(0).batchMatMul(inputs.get(1));
    }

    @Override
    Shape outputShape(List<Shape> inputs) {
        Shape left = inputs.get(0);
        Shape right = inputs.get(1);
        boolean fit =
                left.dimension() == 3
                        && right.dimension() == 3
                        && left.get(0) == right.get(0)
                        && left.get(2) == right.get(1);
        if (!fit) {
            throw mismatch(inputs);
        }
        return new Shape(left.get(0), left.get(1), right.get(2));
    }
}
