package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One call of an engine's operator that a {@link LayerArithmetic} computes. */
public final class OperatorCall {

    private final String layer;
    private final String operator;
    private final List<@Nullable Object> arguments;
    private final IdentityHashMap<NDArray, TensorQuantizer> weights;
    private final QuantizerRow inputs;
    private final ForwardContext context;

    OperatorCall(
            String layer,
            String operator,
            List<@Nullable Object> arguments,
            IdentityHashMap<NDArray, TensorQuantizer> weights,
            QuantizerRow inputs,
            ForwardContext context) {
        this.layer = layer;
        this.operator = operator;
        this.arguments = arguments;
        this.weights = weights;
        this.inputs = inputs;
        this.context = context;
    }

    /**
     * Returns the path of the layer, for messages.
     *
     * @return for instance {@code "01LSTM"}
     */
    public String layer() {
        return layer;
    }

    /**
     * Returns the operator.
     *
     * @return the name of a method of DJL's {@code NDArrayEx}
     */
    public String operator() {
        return operator;
    }

    /**
     * Returns an argument.
     *
     * @param position from 0, as in the method of {@code NDArrayEx}
     * @param type what it is
     * @param <T> what it is
     * @return the argument; arrays are not to be changed
     * @throws IllegalArgumentException if it is null or something else
     */
    public <T> T argument(int position, Class<T> type) {
        Object argument = arguments.get(position);
        if (!type.isInstance(argument)) {
            throw new IllegalArgumentException(
                    "layer \""
                            + layer
                            + "\", operator "
                            + operator
                            + ": argument "
                            + position
                            + " is "
                            + argument
                            + "; expected "
                            + type.getSimpleName());
        }
        return type.cast(argument);
    }

    /**
     * Returns an array that may be left out, such as a bias.
     *
     * @param position from 0
     * @return null if the layer's code gave null
     */
    public @Nullable NDArray optionalArray(int position) {
        return arguments.get(position) == null ? null : argument(position, NDArray.class);
    }

    /**
     * Returns arrays that are given as a list, such as the parameters of an LSTM.
     *
     * @param position from 0
     * @return the list; not to be changed
     */
    public NDList arrays(int position) {
        return argument(position, NDList.class);
    }

    /**
     * Returns the quantizer of a weight among the arguments.
     *
     * @param weight the array the operator was called with: the float master weight, as an alias
     *     that belongs to the pass
     * @return its quantizer
     * @throws IllegalArgumentException if the array is no quantized weight of this layer
     */
    public TensorQuantizer weightQuantizer(NDArray weight) {
        TensorQuantizer quantizer = weights.get(weight);
        if (quantizer == null) {
            throw new IllegalArgumentException(
                    "layer \""
                            + layer
                            + "\", operator "
                            + operator
                            + ": an array of shape "
                            + weight.getShape()
                            + " is no quantized weight");
        }
        return quantizer;
    }

    /**
     * Returns the quantizer of an input position of the layer.
     *
     * @param position from 0
     * @return its quantizer
     */
    public TensorQuantizer inputQuantizer(int position) {
        return inputs.at(position);
    }

    /**
     * Returns the pass.
     *
     * @return the context that quantizers are given
     */
    public ForwardContext context() {
        return context;
    }
}
