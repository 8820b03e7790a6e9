package org.nni4j.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/** Two or more arrays put end to end along one axis; their other sizes are the same. */
public final class Concat extends MultiInputBlock {

    private final int axis;

    /**
     * Makes the block.
     *
     * @param axis counted from 0, or from the end if negative
     */
    public Concat(int axis) {
        super(2, Integer.MAX_VALUE);
        this.axis = axis;
    }

    /** Makes the block for axis 1, the channels. */
    public Concat() {
        this(1);
    }

    /**
     * Returns the axis.
     *
     * @return as given to the constructor
     */
    public int axis() {
        return axis;
    }

    @Override
    NDArray compute(NDList inputs) {
        return NDArrays.concat(inputs, axis);
    }

    @Override
    Shape outputShape(List<Shape> inputs) {
        long[] sizes = inputs.get(0).getShape().clone();
        int along = axis < 0 ? axis + sizes.length : axis;
        if (along < 0 || along >= sizes.length) {
            throw mismatch(inputs);
        }
        sizes[along] = 0;
        for (Shape shape : inputs) {
            sizes[along] += sizeAlong(shape, sizes, along, inputs);
        }
        return new Shape(sizes);
    }

    private long sizeAlong(Shape shape, long[] sizes, int along, List<Shape> inputs) {
        for (int i = 0; i < sizes.length; i++) {
            if (shape.dimension() != sizes.length || (i != along && shape.get(i) != sizes[i])) {
                throw mismatch(inputs);
            }
        }
        return shape.get(along);
    }
}
