package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.LayerWrapper;

/**
 * A layer that looks at whatever comes in and goes out, and stops the pass at the first tensor that
 * holds NaN or an infinite value. That reads each tensor once more and waits for the device, so it
 * is for finding out, not for every run.
 */
public final class CheckedLayer extends LayerWrapper {

    private final String path;
    private final StepClock clock;

    /**
     * Wraps a layer.
     *
     * @param inner the layer, or the wrapper that quantizes it
     * @param path its dotted path
     * @param clock counts the steps
     */
    public CheckedLayer(Block inner, String path, StepClock clock) {
        super(inner);
        this.path = path;
        this.clock = clock;
    }

    @Override
    protected NDList intercept(
            ParameterStore store,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        for (int i = 0; i < inputs.size(); i++) {
            check("input " + i, inputs.get(i), "they are in the data or come from a layer before");
        }
        for (Parameter parameter : inner().getParameters().values()) {
            if (parameter.isInitialized()) {
                check(
                        "parameter " + parameter.getName(),
                        parameter.getArray(),
                        "an update before this step made them");
            }
        }
        NDList outputs = proceed(store, inputs, training, params);
        for (int i = 0; i < outputs.size(); i++) {
            check("output " + i, outputs.get(i), "this layer made them of finite values");
        }
        return outputs;
    }

    private void check(String what, NDArray tensor, String origin) {
        NonFinite.in(tensor)
                .ifPresent(
                        found -> {
                            throw new IllegalStateException(
                                    "layer \""
                                            + path
                                            + "\", "
                                            + what
                                            + ": "
                                            + found
                                            + " at step "
                                            + clock.step()
                                            + "; "
                                            + origin);
                        });
    }
}
