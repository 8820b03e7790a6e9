package org.nni4j.layer;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Lets every pass through and counts it. */
class CountingWrapper extends LayerWrapper {

    int passes;
    int trainingPasses;

    CountingWrapper(Block inner) {
        super(inner);
    }

    @Override
    protected NDList intercept(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        passes++;
        trainingPasses += training ? 1 : 0;
        return proceed(parameterStore, inputs, training, params);
    }

    /** Wraps each layer, and keeps the wrappers by layer in {@code made}. */
    static Map<Layer, Function<Block, Block>> around(
            List<Layer> layers, Map<Layer, CountingWrapper> made) {
        Map<Layer, Function<Block, Block>> wrappers = new LinkedHashMap<>();
        for (Layer layer : layers) {
            wrappers.put(
                    layer,
                    block -> {
                        CountingWrapper wrapper = new CountingWrapper(block);
                        made.put(layer, wrapper);
                        return wrapper;
                    });
        }
        return wrappers;
    }

    static Map<Layer, Function<Block, Block>> around(List<Layer> layers) {
        return around(layers, new LinkedHashMap<>());
    }
}
