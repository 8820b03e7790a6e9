package org.nni4j.algorithms.dorefa;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.GradientCollector;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.UnaryOperator;

/**
 * Places where the backward pass stops, so that a gradient can be changed before it goes on.
 *
 * <p>An engine's backward pass is linear in the gradient it is given, and DJL has no hook inside
 * it. So the network is computed in pieces: at a cut the output goes on as a leaf of its own. The
 * loss's backward pass ends at the leaves of the last piece; {@link #proceed()} then takes each
 * leaf's gradient, changes it, and runs the piece before it backward from there, last cut first.
 */
final class GradientCuts {

    private static final String HOW =
            "; give the training config DoReFaQuantizer.gradientListener(), or call"
                    + " proceedBackward() after each backward pass, and discardBackward() after a"
                    + " pass that failed";

    private record Cut(NDArray output, NDArray leaf, UnaryOperator<NDArray> change, long step) {

        /** The batch was closed, and its gradients with it. */
        boolean isClosed() {
            return output.isReleased() || leaf.isReleased();
        }
    }

    private final Deque<Cut> pending = new ArrayDeque<>();

    /**
     * Cuts.
     *
     * @param output of a training forward
     * @param change what becomes of the gradient, which has the output's shape
     * @param step the step that is being computed
     * @return the output's values as a leaf, owned by the output's manager
     * @throws IllegalStateException if cuts of an earlier step, or of arrays that are closed by
     *     now, were never proceeded from; they are forgotten
     */
    synchronized NDArray cut(NDArray output, UnaryOperator<NDArray> change, long step) {
        Cut oldest = pending.peekFirst();
        if (oldest != null && (oldest.step() != step || oldest.isClosed())) {
            throw stopped();
        }
        NDArray leaf = output.stopGradient();
        leaf.setRequiresGradient(true);
        pending.addLast(new Cut(output, leaf, change, step));
        return leaf;
    }

    /**
     * Runs the rest of the backward pass.
     *
     * @throws IllegalStateException if there are cuts of arrays that are closed by now; all cuts
     *     are forgotten
     */
    synchronized void proceed() {
        if (pending.stream().anyMatch(Cut::isClosed)) {
            throw stopped();
        }
        while (!pending.isEmpty()) {
            Cut cut = pending.removeLast();
            NDArray gradient = cut.leaf().getGradient().stopGradient();
            // Where the loss's pass did not come, as in a pass that failed, nothing goes on.
            if (isZero(gradient)) {
                continue;
            }
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray product = cut.output().mul(cut.change().apply(gradient)).sum();
                collector.backward(product.add(anchor(product)));
            }
        }
    }

    /**
     * A zero with a gradient. Frozen layers' outputs have none, and a backward pass from them would
     * be an error; an array does not tell, since DJL's {@code hasGradient} is about leaves.
     */
    private static NDArray anchor(NDArray scalar) {
        NDArray zero = scalar.getManager().zeros(scalar.getShape(), scalar.getDataType());
        zero.setRequiresGradient(true);
        return zero;
    }

    private static boolean isZero(NDArray gradient) {
        // NaN is not zero, and goes on to where it is reported
        return gradient.isEmpty()
                || gradient.abs().max().toType(DataType.FLOAT32, false).toFloatArray()[0] == 0;
    }

    /** Forgets a pass that will not be proceeded from; its arrays are its batch's. */
    synchronized void discard() {
        pending.clear();
    }

    private IllegalStateException stopped() {
        long step = pending.getFirst().step();
        discard();
        return new IllegalStateException(
                "the gradients of step " + step + " stopped where they are quantized" + HOW);
    }
}
