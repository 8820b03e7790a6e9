package org.nni4j.graph;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.LayerWrapper;

/** Lets a layer's own code compute with stand-ins. */
final class InterposedLayer extends LayerWrapper {

    private final Map<GraphInterposer.Site, Interposition> sites;
    private final ThreadLocal<@Nullable InterposedRun> current;

    InterposedLayer(
            Block inner,
            Map<GraphInterposer.Site, Interposition> sites,
            ThreadLocal<@Nullable InterposedRun> current) {
        super(inner);
        this.sites = sites;
        this.current = current;
    }

    @Override
    protected NDList intercept(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        InterposedRun outer = current.get();
        InterposedRun run = new InterposedRun(sites, parameterStore, training);
        current.set(run);
        try {
            return run.release(proceed(run.store(), run.receive(inputs), training, params));
        } finally {
            current.set(outer);
        }
    }
}
