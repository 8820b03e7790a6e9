package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
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

    /*
     * A trainer keeps every array it ever fetched, and updates it in each step. So an array stays the same when another
     * value is set, or none; and it is frozen then until a training pass fetches it again, which is when it would join a
     * trainer that had not seen it before. Training that goes back to an earlier state is thus what it was then.
     */
    private final Parameter parameter;
    private final NDManager manager;
    private boolean hasValue;
    private @Nullable NDManager trainer;

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
     * @return false until {@link #set} was called, and after {@link #clear()}
     */
    public synchronized boolean isInitialized() {
        return hasValue;
    }

    /**
     * Gives the parameter a value; one it has is overwritten in place, so that trainers see it.
     *
     * @param values as many as before
     * @throws IllegalArgumentException if there were another number of values before
     */
    public synchronized void set(float... values) {
        if (parameter.isInitialized()) {
            write(parameter.getArray(), values);
            freeze();
        } else {
            NDArray array = manager.create(values.clone());
            array.setRequiresGradient(true);
            parameter.setArray(array);
        }
        hasValue = true;
    }

    /** Goes back to having no value; trainers leave the parameter alone until it has one again. */
    public synchronized void clear() {
        if (parameter.isInitialized()) {
            freeze();
        }
        hasValue = false;
    }

    /** What was gathered for the value before must not be added to the gradient of the next. */
    private void freeze() {
        dropGradient(parameter.getArray());
        parameter.freeze(true);
    }

    /**
     * Sets the gradient that was gathered so far to 0, whatever it is.
     *
     * @param array the parameter's array on some device
     */
    public static void dropGradient(NDArray array) {
        if (array.hasGradient()) {
            try (NDArray gradient = array.getGradient()) {
                write(gradient, new float[Math.toIntExact(gradient.size())]);
            }
        }
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
        // Not by DJL's set(Buffer) or copyTo, which make a Java buffer the array's memory, for as
        // long as this Java object lives: that of a gradient is gone long before the gradient.
        try (NDManager scope = array.getManager().newSubManager()) {
            NDArray memory = array.stopGradient();
            memory.attach(scope);
            memory.set(new NDIndex("..."), scope.create(values, array.getShape()));
        }
    }

    /**
     * Returns the values.
     *
     * @return a copy
     * @throws IllegalStateException if there are none yet
     */
    public synchronized float[] values() {
        checkValue();
        return parameter.getArray().toFloatArray();
    }

    private void checkValue() {
        if (!hasValue) {
            throw new IllegalStateException(parameter.getName() + " has no value yet");
        }
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
        synchronized (this) {
            checkValue();
            if (context.training()) {
                trainer = context.parameterStore().getManager();
                if (!parameter.requiresGradient()) {
                    parameter.freeze(false);
                }
            }
        }
        NDArray value =
                context.parameterStore().getValue(parameter, context.device(), context.training());
        return Alias.of(value, tensor.getManager());
    }

    /**
     * Frees the array, or hands it to the trainer that is still open: that knows the parameter, and
     * asks for its gradient in each further step.
     */
    public synchronized void close() {
        hasValue = false;
        if (trainer != null && trainer.isOpen() && parameter.isInitialized()) {
            parameter.getArray().attach(trainer);
        } else {
            parameter.close();
        }
    }
}
