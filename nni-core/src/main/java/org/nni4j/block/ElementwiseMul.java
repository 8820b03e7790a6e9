package org.nni4j.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/** The element-wise product of two or more arrays, broadcast to each other. */
public final class ElementwiseMul extends MultiInputBlock {

    /** Makes the block. */
    public ElementwiseMul() {
        super(2, Integer.MAX_VALUE);
    }

    @Override
    NDArray compute(NDList inputs) {
        return inputs.stream().reduce(NDArray::mul).orElseThrow();
    }

    @Override
    Shape outputShape(List<Shape> inputs) {
        return broadcast(inputs);
    }
}
