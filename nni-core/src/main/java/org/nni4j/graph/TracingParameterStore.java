package org.nni4j.graph;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Hands out copies of parameters, so that a pass that overwrites one (running statistics do) leaves
 * the model alone.
 */
final class TracingParameterStore extends ParameterStore {

    private final TraceRecorder recorder;
    private final NDManager manager;
    private final Map<Parameter, ParameterRead> names;
    private final Map<String, NDArray> handedOut = new HashMap<>();

    TracingParameterStore(
            TraceRecorder recorder, NDManager manager, Map<Parameter, ParameterRead> names) {
        super(manager, false);
        this.recorder = recorder;
        this.manager = manager;
        this.names = Map.copyOf(names);
    }

    @Override
    public NDManager getManager() {
        return recorder.wrap(manager);
    }

    @Override
    @SuppressWarnings("NullAway") // DJL asks for parameters a block does not have, and expects null
    public @Nullable NDArray getValue(
            @Nullable Parameter parameter, Device device, boolean training) {
        return parameter == null
                ? null
                : handedOut.computeIfAbsent(parameter.getId(), id -> copy(parameter, device));
    }

    private NDArray copy(Parameter parameter, Device device) {
        ParameterRead read = names.get(parameter);
        if (read == null) {
            // A parameter of no layer: a block that is not in its parent's children list.
            read = new ParameterRead(recorder.path().current().path, parameter.getName());
        }
        return recorder.parameter(copyOf(parameter.getArray(), device, manager), read);
    }

    /** A copy without history, owned by the manager. */
    static NDArray copyOf(NDArray array, Device device, NDManager manager) {
        try (NDArray detached = array.stopGradient()) {
            boolean here = detached.getDevice().equals(device);
            NDArray copy = here ? detached.duplicate() : detached.toDevice(device, true);
            copy.attach(manager);
            copy.setName(array.getName());
            return copy;
        }
    }
}
