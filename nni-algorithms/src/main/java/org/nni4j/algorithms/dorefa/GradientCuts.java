package org.nni4j.algorithms.dorefa;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
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

    private record Cut(NDArray output, NDArray leaf, UnaryOperator<NDArray> change, long step) {}

    private final Deque<Cut> pending = new ArrayDeque<>();

    /**
     * Cuts.
     *
     * @param output computed with gradient
     * @param change what becomes of the gradient
     * @param step the step that is being computed
     * @return the output's values as a leaf, owned by the output's manager
     * @throws IllegalStateException if cuts of an earlier step were never proceeded from
     */
    synchronized NDArray cut(NDArray output, UnaryOperator<NDArray> change, long step) {
        Cut oldest = pending.peekFirst();
        if (oldest != null && oldest.step() != step) {
            pending.clear();
            throw new IllegalStateException(
                    "the gradients of step "
                            + oldest.step()
                            + " stopped where they are quantized; give the training config"
                            + " DoReFaQuantizer.gradientListener(), or call proceedBackward()"
                            + " after each backward pass");
        }
        NDArray leaf = output.stopGradient();
        leaf.setRequiresGradient(true);
        pending.addLast(new Cut(output, leaf, change, step));
        return leaf;
    }

    /** Runs the rest of the backward pass. */
    synchronized void proceed() {
        while (!pending.isEmpty()) {
            Cut cut = pending.removeLast();
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray gradient = cut.change().apply(cut.leaf().getGradient().stopGradient());
                collector.backward(cut.output().mul(gradient).sum());
            }
        }
    }
}
