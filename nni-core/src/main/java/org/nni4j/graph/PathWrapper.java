package org.nni4j.graph;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerWrapper;

/** Tells the recorder when a layer begins and ends. */
final class PathWrapper extends LayerWrapper {

    private final TraceRecorder recorder;
    private final Layer layer;
    private final Thread thread = Thread.currentThread();

    PathWrapper(Block inner, Layer layer, TraceRecorder recorder) {
        super(inner);
        this.layer = layer;
        this.recorder = recorder;
    }

    @Override
    protected NDList intercept(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        // A model may predict in other threads while it is traced.
        if (Thread.currentThread() != thread) {
            return proceed(parameterStore, inputs, training, params);
        }
        return recorder.within(
                layer.path(),
                layer.type(),
                () -> proceed(parameterStore, inputs, training, params));
    }
}
