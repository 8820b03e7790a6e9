package org.nni4j.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/** The matrix product of two arrays, over their last two axes; the axes before are broadcast. */
public final class MatMul extends MultiInputBlock {

    /** Makes the block. */
    public MatMul() {
        super(2, 2);
    }

    @Override
    NDArray compute(NDList inputs) {
        return inputs.get(0).matMul(inputs.get(1));
    }

    @Override
    Shape outputShape(List<Shape> inputs) {
        Shape left = inputs.get(0);
        Shape right = inputs.get(1);
        int l = left.dimension();
        int r = right.dimension();
        if (l < 2 || r < 2 || left.get(l - 1) != right.get(r - 2)) {
            throw mismatch(inputs);
        }
        Shape batch = broadcast(List.of(left.slice(0, l - 2), right.slice(0, r - 2)));
        return batch.add(left.get(l - 2)).add(right.get(r - 1));
    }
}
