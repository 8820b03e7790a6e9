package org.nni4j.graph;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.function.UnaryOperator;

/**
 * A user's block: DJL's LambdaBlock runs its function on made-up arrays to find shapes, this one
 * does not.
 */
public final class FunctionBlock extends AbstractBlock {

    private final UnaryOperator<NDList> function;

    public FunctionBlock(UnaryOperator<NDList> function) {
        this.function = function;
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return function.apply(inputs);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return inputShapes;
    }
}
