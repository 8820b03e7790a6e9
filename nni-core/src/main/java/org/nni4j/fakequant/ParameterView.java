package org.nni4j.fakequant;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterServer;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;

/**
 * A view of a parameter store in which some parameters have another value; everything else is the
 * store's own.
 *
 * <p>Blocks fetch their parameters through the store that {@code forward} is given, so a layer can
 * compute with fake-quantized weights while the float master weights stay where they are.
 */
final class ParameterView extends ParameterStore {

    /** What is seen of a parameter. */
    @FunctionalInterface
    interface Substitution {

        /**
         * Returns what is seen instead of a parameter's value.
         *
         * @param parameter null where a layer asks for an optional parameter it does not have
         * @param value its float value; null if the parameter is
         */
        @Nullable NDArray value(@Nullable Parameter parameter, @Nullable NDArray value);
    }

    private final ParameterStore store;
    private final Substitution substitution;

    /**
     * Makes a view.
     *
     * @param store what is looked at
     * @param substitution says what is seen
     */
    ParameterView(ParameterStore store, Substitution substitution) {
        super(store.getManager(), false);
        this.store = store;
        this.substitution = substitution;
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
        return substitution.value(parameter, store.getValue(parameter, device, training));
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
