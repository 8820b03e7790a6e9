package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A layer or functional operator with its quantizers. */
public sealed interface Quantized permits QuantizedLayer, ComputedLayer, QuantizedOperator {

    /**
     * Returns the path of the layer, or the traced name of the operator.
     *
     * @return for instance {@code "01SequentialBlock.01Conv2d"}
     */
    String path();

    /**
     * Returns the quantizers of the weight parameters.
     *
     * @return in the layer's order; empty for an operator
     */
    Map<Parameter, TensorQuantizer> weightQuantizers();

    /**
     * Returns the quantizers of the inputs seen so far, by position.
     *
     * @return empty if inputs are not quantized
     */
    Map<Integer, TensorQuantizer> inputQuantizers();

    /**
     * Returns the quantizers of the outputs seen so far, by position.
     *
     * @return empty if outputs are not quantized
     */
    Map<Integer, TensorQuantizer> outputQuantizers();

    /**
     * Returns the quantizer of an input position, making it if no tensor has arrived there yet.
     *
     * @param position from 0
     * @return the quantizer
     * @throws IllegalStateException if inputs are not quantized
     */
    TensorQuantizer inputQuantizer(int position);

    /**
     * Returns the quantizer of an output position, making it if no tensor has arrived there yet.
     *
     * @param position from 0
     * @return the quantizer
     * @throws IllegalStateException if outputs are not quantized
     */
    TensorQuantizer outputQuantizer(int position);

    /**
     * Returns the path of the BatchNorm folded into it.
     *
     * @return empty text if there is none
     */
    String foldedBatchNorm();

    /**
     * Shows each weight quantizer the weight as it stands now, so that its calibration describes
     * that.
     */
    void describeWeights();

    /**
     * Returns a weight as evaluation computes with it: with its BatchNorm, and fake-quantized
     * whatever the step.
     *
     * @param parameter one of {@link #weightQuantizers()}
     * @param scope owns the result
     * @return the parameter's shape
     * @throws IllegalArgumentException if the parameter is not quantized here
     */
    NDArray quantizedWeight(Parameter parameter, NDManager scope);

    /**
     * Returns the bias that evaluation computes with where a BatchNorm was folded in.
     *
     * @param bias the layer's own; null if it has none
     * @param scope owns the result
     * @return shape {@code (channels)}; empty if nothing was folded in
     */
    Optional<NDArray> foldedBias(@Nullable Parameter bias, NDManager scope);

    /**
     * Shows the inputs and outputs that are fake-quantized from now on.
     *
     * @param tap what is shown them; null for nobody
     */
    void tap(@Nullable TensorTap tap);

    /**
     * Goes back to before a tensor arrived at any input or output but those given. The quantizers
     * of the others are as they were made, and not among those seen until a tensor arrives again.
     *
     * @param inputPositions of the inputs that are left as they are
     * @param outputPositions of the outputs that are left as they are
     */
    void keepOnly(Set<Integer> inputPositions, Set<Integer> outputPositions);

    /** Closes the quantizers; the layer itself lives on. */
    void close();
}
