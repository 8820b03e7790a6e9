package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;

/** Is shown every input and output that a network's quantizers have fake-quantized. */
@FunctionalInterface
public interface TensorTap {

    /** Which side of a layer or operator a tensor is on. */
    enum Side {
        /** What it reads. */
        INPUT,
        /** What it gives. */
        OUTPUT
    }

    /**
     * Is shown a tensor; called from the thread that runs the network.
     *
     * @param path of the layer, or the traced name of the operator
     * @param side input or output
     * @param position among the layer's inputs or outputs, from 0
     * @param tensor as the layer sees it from now on; the pass's own, to be copied if it is kept
     */
    void seen(String path, Side side, int position, NDArray tensor);
}
