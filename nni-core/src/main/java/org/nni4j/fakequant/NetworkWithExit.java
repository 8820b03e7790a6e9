package org.nni4j.fakequant;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.LayerWrapper;

/** A whole network whose outputs pass an exit. It stands in the model's slot. */
public final class NetworkWithExit extends LayerWrapper {

    private final NetworkExit exit;
    private final StepClock clock;

    /**
     * Wraps a network.
     *
     * @param inner the network, or a wrapper around it
     * @param exit is given the outputs
     * @param clock counts the steps
     */
    public NetworkWithExit(Block inner, NetworkExit exit, StepClock clock) {
        super(inner);
        this.exit = exit;
        this.clock = clock;
    }

    @Override
    protected NDList intercept(
            ParameterStore store,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDList outputs = proceed(store, inputs, training, params);
        if (outputs.isEmpty()) {
            return outputs;
        }
        Device device = outputs.head().getDevice();
        ForwardContext context = new ForwardContext(training, true, clock.step(), store, device);
        NDList left = new NDList(outputs.size());
        for (NDArray output : outputs) {
            left.add(output.getDataType().isFloating() ? leave(output, context) : output);
        }
        return left;
    }

    private NDArray leave(NDArray output, ForwardContext context) {
        NDArray left = exit.leave(output, context);
        left.setName(output.getName());
        return left;
    }
}
