package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;

/**
 * A backward pass that leaves what it went through as it was, so that another may go through it
 * again. That of DJL's {@code GradientCollector} frees what operators keep for backward, and can
 * come to each of them only once.
 */
public final class RepeatableBackward {

    private RepeatableBackward() {}

    /**
     * Adds to the gradients of all arrays that a number was computed from. Does nothing where none
     * of them has a gradient. To be called while the collector is open in which the number was
     * computed.
     *
     * @param number a single one; what it was computed from is freed when its arrays are closed
     * @throws IllegalStateException if it is of another engine than PyTorch
     * @throws ai.djl.engine.EngineException if another backward pass has freed a part of the way
     */
    public static void from(NDArray number) {
        if (!(number instanceof PtNDArray result)) {
            throw new IllegalStateException(
                    "engine \""
                            + number.getManager().getEngine().getEngineName()
                            + "\" has no backward pass that can be repeated; expected PyTorch");
        }
        // From a number without a gradient libtorch refuses to go. Whether it has one cannot be
        // asked, since DJL's requiresGrad is about leaves; so it gets one.
        try (NDArray zero = result.zerosLike();
                NDArray one = result.onesLike()) {
            zero.setRequiresGradient(true);
            try (NDArray start = result.add(zero)) {
                JniUtils.backward((PtNDArray) start, (PtNDArray) one, true, false);
            }
        }
    }
}
