package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of an operator's tensors while the network runs.
 *
 * @param inputs what replaces an input before the operator sees it, by position in {@link
 *     Node#inputs()}
 * @param outputs what replaces an output before anything else sees it, by position in {@link
 *     Node#outputs()}
 * @param together what replaces all inputs at once, instead of {@code inputs}; or null
 */
public record Interposition(
        Map<Integer, TensorFunction> inputs,
        Map<Integer, TensorFunction> outputs,
        @Nullable JointFunction together) {

    /**
     * Maps a tensor to the one that takes its place; called in each pass, from the thread that runs
     * it.
     */
    @FunctionalInterface
    public interface TensorFunction {

        /**
         * Replaces a tensor.
         *
         * @param tensor an ordinary array; not to be changed
         * @param parameterStore of the pass
         * @param training whether it is a training pass
         * @return an array of the same shape, or the tensor itself; gradients flow through as it
         *     was computed
         */
        NDArray apply(NDArray tensor, ParameterStore parameterStore, boolean training);
    }

    /** Maps all inputs of an operator to those that take their places. */
    @FunctionalInterface
    public interface JointFunction {

        /**
         * Replaces tensors.
         *
         * @param tensors ordinary arrays, in {@link Node#inputs()}'s order; not to be changed
         * @param parameterStore of the pass
         * @param training whether it is a training pass
         * @return as many arrays of the same shapes
         */
        List<NDArray> apply(List<NDArray> tensors, ParameterStore parameterStore, boolean training);
    }

    /** Copies the maps. */
    public Interposition {
        inputs = Map.copyOf(inputs);
        outputs = Map.copyOf(outputs);
    }

    /**
     * Replaces inputs and outputs one by one.
     *
     * @param inputs what replaces an input, by position
     * @param outputs what replaces an output, by position
     */
    public Interposition(
            Map<Integer, TensorFunction> inputs, Map<Integer, TensorFunction> outputs) {
        this(inputs, outputs, null);
    }

    /**
     * Replaces all inputs at once.
     *
     * @param function what they become
     * @param outputs what replaces an output, by position
     * @return the interposition
     */
    public static Interposition ofInputsTogether(
            JointFunction function, Map<Integer, TensorFunction> outputs) {
        return new Interposition(Map.of(), outputs, function);
    }

    /**
     * Replaces the only output, or the first one.
     *
     * @param function what it becomes
     * @return the interposition
     */
    public static Interposition ofOutput(TensorFunction function) {
        return new Interposition(Map.of(), Map.of(0, function));
    }

    /**
     * Replaces inputs.
     *
     * @param functions what they become, by position
     * @return the interposition
     */
    public static Interposition ofInputs(Map<Integer, TensorFunction> functions) {
        return new Interposition(functions, Map.of());
    }
}
