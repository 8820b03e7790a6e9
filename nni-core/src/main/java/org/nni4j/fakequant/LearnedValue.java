package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * A parameter of a quantizer that is trained with the network, for instance LSQ's step sizes. Its
 * array is made when its first value is known.
 *
 * <p>It joins the trainer's optimizer like any other parameter, when {@link #on} first fetches it
 * from the pass's parameter store; so it is not fetched before it has a value.
 */
public final class LearnedValue {

    private final Parameter parameter;
    private final NDManager manager;
    private volatile @Nullable NDManager trainer;

    /**
     * Makes a parameter without value.
     *
     * @param name what it is, for messages
     * @param manager will own the array
     */
    public LearnedValue(String name, NDManager manager) {
        this.manager = manager;
        this.parameter = Parameter.builder().setName(name).setType(Parameter.Type.OTHER).build();
    }

    /**
     * Returns the parameter, for {@link TensorQuantizer#learnedParameters()}.
     *
     * @return always the same one
     */
    public Parameter parameter() {
        return parameter;
    }

    /**
     * Tells whether there is a value.
     *
     * @return false until {@link #set} was called
     */
    public boolean isInitialized() {
        return parameter.isInitialized();
    }

    /**
     * Gives the parameter a value; one it has is overwritten in place, so that trainers see it.
     *
     * @param values as many as before
     * @throws IllegalArgumentException if there were another number of values before
     */
    public void set(float... values) {
        if (!isInitialized()) {
            NDArray array = manager.create(values.clone());
            array.setRequiresGradient(true);
            parameter.setArray(array);
            return;
        }
        write(parameter.getArray(), values);
    }

    /**
     * Overwrites an array of the parameter in place, outside of any gradient.
     *
     * @param array the parameter's array on some device
     * @param values as many as the array has
     * @throws IllegalArgumentException if it has another number
     */
    public static void write(NDArray array, float... values) {
        if (array.size() != values.length) {
            throw new IllegalArgumentException(
                    "got " + values.length + " values; expected " + array.size());
        }
        array.set(values);
    }

    /**
     * Returns the values.
     *
     * @return a copy
     * @throws IllegalStateException if there are none yet
     */
    public float[] values() {
        if (!isInitialized()) {
            throw new IllegalStateException(parameter.getName() + " has no value yet");
        }
        return parameter.getArray().toFloatArray();
    }

    /**
     * Returns the value for a computation with a tensor.
     *
     * @param tensor gives the manager
     * @param context gives the device and the store that mirrors the parameter there
     * @return an alias owned by the tensor's manager; the gradient flows to the parameter
     * @throws IllegalStateException if there is no value yet
     */
    public NDArray on(NDArray tensor, ForwardContext context) {
        if (!isInitialized()) {
            throw new IllegalStateException(parameter.getName() + " has no value yet");
        }
        if (context.training()) {
            trainer = context.parameterStore().getManager();
        }
        NDArray value =
                context.parameterStore().getValue(parameter, context.device(), context.training());
        NDArray alias = value.reshape(value.getShape());
        alias.attach(tensor.getManager());
        return alias;
    }

    /**
     * Frees the array, or hands it to the trainer that is still open: that knows the parameter, and
     * asks for its gradient in each further step.
     */
    public void close() {
        NDManager user = trainer;
        if (user != null && user.isOpen() && isInitialized()) {
            parameter.getArray().attach(user);
        } else {
            parameter.close();
        }
    }
}
