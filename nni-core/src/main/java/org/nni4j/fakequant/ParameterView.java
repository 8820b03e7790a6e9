package org.nni4j.fakequant;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterServer;
import ai.djl.training.ParameterStore;
import java.util.function.BiFunction;

/**
 * A view of a parameter store in which some parameters have another value; everything else is the store's own.
 *
 * <p>Blocks fetch their parameters through the store that {@code forward} is given, so a layer can compute with
 * fake-quantized weights while the float master weights stay where they are.
 */
final class ParameterView extends ParameterStore {

    private final ParameterStore store;
    private final BiFunction<Parameter, NDArray, NDArray> value;

    /**
     * Makes a view.
     *
     * @param store what is looked at
     * @param value maps a parameter and its float value to the value that is seen
     */
    ParameterView(ParameterStore store, BiFunction<Parameter, NDArray, NDArray> value) {
        super(store.getManager(), false);
        this.store = store;
        this.value = value;
    }

    @Override
    public void setParameterServer(ParameterServer parameterServer, Device[] devices) {
        store.setParameterServer(parameterServer, devices);
    }

    @Override
    public void updateAllParameters() {
        store.updateAllParameters();
    }

    // DJL's own contract: an optional parameter that a block does not have is null and stays null.
    @SuppressWarnings("NullAway")
    @Override
    public NDArray getValue(Parameter parameter, Device device, boolean training) {
        NDArray master = store.getValue(parameter, device, training);
        return master == null ? null : value.apply(parameter, master);
    }

    @Override
    public NDManager getManager() {
        return store.getManager();
    }

    @Override
    public void sync() {
        store.sync();
    }
}
