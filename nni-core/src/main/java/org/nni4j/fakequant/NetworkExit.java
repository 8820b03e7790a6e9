package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;

/** What becomes of a whole network's outputs before its caller gets them. */
@FunctionalInterface
public interface NetworkExit {

    /**
     * Called with each floating output of a pass.
     *
     * @param output of the network
     * @param context the pass, one for all outputs; it is {@linkplain ForwardContext#quantizing()
     *     quantizing} at any step
     * @return same shape, type and values, owned by the output's manager; the output itself where
     *     there is nothing to do
     */
    NDArray leave(NDArray output, ForwardContext context);
}
