package org.nni4j.fakequant;

import ai.djl.nn.Parameter;
import java.util.Map;

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

    /** Closes the quantizers; the layer itself lives on. */
    void close();
}
