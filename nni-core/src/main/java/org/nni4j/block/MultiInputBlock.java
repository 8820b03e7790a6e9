package org.nni4j.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A block without parameters that computes one array from several. */
abstract class MultiInputBlock extends AbstractBlock {

    private static final byte VERSION = 1;

    private final int atLeast;
    private final int atMost;

    MultiInputBlock(int atLeast, int atMost) {
        super(VERSION);
        this.atLeast = atLeast;
        this.atMost = atMost;
    }

    /** Computes the output. */
    abstract NDArray compute(NDList inputs);

    /** The output's shape, of inputs as many as are allowed. */
    abstract Shape outputShape(List<Shape> inputs);

    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        checkCount(inputs.size());
        return new NDList(compute(inputs));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] shapes) {
        checkCount(shapes.length);
        return new Shape[] {outputShape(Arrays.asList(shapes))};
    }

    private void checkCount(int count) {
        if (count < atLeast || count > atMost) {
            String expected = atLeast == atMost ? "exactly " + atLeast : atLeast + " or more";
            throw new IllegalArgumentException(
                    getClass().getSimpleName()
                            + ": got "
                            + count
                            + " inputs; expected "
                            + expected);
        }
    }

    IllegalArgumentException mismatch(List<Shape> shapes) {
        return new IllegalArgumentException(
                getClass().getSimpleName() + ": shapes " + shapes + " do not go together");
    }

    /** The shape that several broadcast to. */
    Shape broadcast(List<Shape> shapes) {
        int rank = shapes.stream().mapToInt(Shape::dimension).max().orElse(0);
        long[] sizes = new long[rank];
        for (int i = 0; i < rank; i++) {
            sizes[i] = broadcastSize(shapes, i - rank);
        }
        return new Shape(sizes);
    }

    /* Of the axis counted from the end: -1 is the last. */
    private long broadcastSize(List<Shape> shapes, int fromEnd) {
        long size = 1;
        for (Shape shape : shapes) {
            int axis = shape.dimension() + fromEnd;
            long own = axis < 0 ? 1 : shape.get(axis);
            if (own != 1 && size != 1 && own != size) {
                throw mismatch(shapes);
            }
            size = own == 1 ? size : own;
        }
        return size;
    }
}
