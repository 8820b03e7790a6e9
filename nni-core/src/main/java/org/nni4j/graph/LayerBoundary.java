package org.nni4j.graph;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.LayerWrapper;

/** Keeps stand-ins out of a layer that an interposed one calls. */
final class LayerBoundary extends LayerWrapper {

    private final ThreadLocal<@Nullable InterposedRun> current;

    LayerBoundary(Block inner, ThreadLocal<@Nullable InterposedRun> current) {
        super(inner);
        this.current = current;
    }

    @Override
    protected NDList intercept(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        InterposedRun run = current.get();
        if (run == null) {
            return proceed(parameterStore, inputs, training, params);
        }
        current.remove();
        try {
            return run.adopt(
                    proceed(
                            run.behind(parameterStore),
                            InterposedRun.unwrap(inputs),
                            training,
                            params));
        } finally {
            current.set(run);
        }
    }
}
