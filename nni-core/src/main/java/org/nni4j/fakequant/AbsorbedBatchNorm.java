package org.nni4j.fakequant;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.LayerWrapper;

/**
 * A BatchNorm whose work the layer before it does. It stands in the BatchNorm's slot, keeps its
 * parameters, and hands its input on.
 */
public final class AbsorbedBatchNorm extends LayerWrapper {

    /**
     * Wraps a BatchNorm.
     *
     * @param inner the BatchNorm
     */
    public AbsorbedBatchNorm(Block inner) {
        super(inner);
    }

    @Override
    protected NDList intercept(
            ParameterStore store,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        return inputs;
    }
}
