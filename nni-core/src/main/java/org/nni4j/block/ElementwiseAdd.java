package org.nni4j.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/** The sum of two or more arrays, broadcast to each other; the first one is left as it is. */
public final class ElementwiseAdd extends MultiInputBlock {

    /** Makes the block. */
    public ElementwiseAdd() {
        super(2, Integer.MAX_VALUE);
    }

    @Override
    NDArray compute(NDList inputs) {
        return inputs.stream().reduce(NDArray::add).orElseThrow();
    }

    @Override
    Shape outputShape(List<Shape> inputs) {
        return broadcast(inputs);
    }
}
