package org.nni4j.algorithms.dorefa;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.GradientCollector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.quantization.RepeatableBackward;

/**
 * Places where the backward pass stops, so that a gradient can be changed before it goes on.
 *
 * <p>An engine's backward pass is linear in the gradient it is given, and DJL has no hook inside
 * it. So the network is computed in pieces: at a cut the output goes on as a leaf of its own.
 * {@link #proceed()} takes each leaf's gradient, changes it, and runs the piece before it backward
 * from there, last cut first.
 */
final class GradientCuts {

    /*
     * Branches make pieces overlap: behind a skip that no cut is on, the same operators lie before a cut and before the
     * loss, and two backward passes come to them. They add up, as gradients do, and a leaf's sum is complete when its turn
     * comes, since whatever reads the leaf was cut after it. But DJL's own backward pass, the loss's, frees what it went
     * through. So the network's outputs are cut as well: the loss's pass then ends before the network, and all passes
     * inside it are those of proceed(), which free nothing; what they went through goes with the batch's arrays.
     *
     * To compute the gradients of outputs of one call in one pass is only cheaper: neither of them was computed from the
     * other's leaf.
     */

    private static final String HOW =
            "; give the training config DoReFaQuantizer.gradientListener(), or call"
                    + " proceedBackward() after each backward pass, and discardBackward() after a"
                    + " pass that failed";

    private record Cut(
            NDArray output, NDArray leaf, UnaryOperator<NDArray> change, ForwardContext call) {

        /** The batch was closed, and its gradients with it. */
        boolean isClosed() {
            return output.isReleased() || leaf.isReleased();
        }

        @SuppressWarnings("ReferenceEquality") // calls alike are not the same call
        boolean isOfCall(ForwardContext other) {
            return call == other;
        }

        /**
         * What the piece's backward pass begins with: a number whose slope along the output is the
         * changed gradient.
         *
         * @param scope owns it
         * @return empty where no gradient came, as in a pass that failed
         */
        Optional<NDArray> start(NDManager scope) {
            NDArray arrived = leaf.getGradient();
            arrived.attach(scope);
            NDArray gradient = arrived.stopGradient();
            return isZero(gradient)
                    ? Optional.empty()
                    : Optional.of(change.apply(gradient).mul(output).sum());
        }

        private static boolean isZero(NDArray gradient) {
            // NaN is not zero, and goes on to where it is reported
            return gradient.isEmpty()
                    || gradient.abs().max().toType(DataType.FLOAT32, false).toFloatArray()[0] == 0;
        }
    }

    private final Deque<Cut> pending = new ArrayDeque<>();

    /**
     * Cuts.
     *
     * @param output of a training forward
     * @param change what becomes of the gradient, which has the output's shape
     * @param call the layer's call that made it
     * @return the output's values as a leaf, owned by the output's manager
     * @throws IllegalStateException if cuts of an earlier step, or of arrays that are closed by
     *     now, were never proceeded from; they are forgotten
     */
    synchronized NDArray cut(NDArray output, UnaryOperator<NDArray> change, ForwardContext call) {
        Cut oldest = pending.peekFirst();
        if (oldest != null && (oldest.call().step() != call.step() || oldest.isClosed())) {
            throw stopped();
        }
        NDArray leaf = output.stopGradient();
        leaf.setRequiresGradient(true);
        pending.addLast(new Cut(output, leaf, change, call));
        return leaf;
    }

    /**
     * Cuts an output of the whole network in training, if anything was cut inside it.
     *
     * @param output of the network
     * @param call the network's
     * @return the output's values as a leaf; the output itself if the backward pass stops nowhere
     * @throws IllegalStateException as {@link #cut}
     */
    synchronized NDArray leave(NDArray output, ForwardContext call) {
        return pending.isEmpty() || !call.training()
                ? output
                : cut(output, UnaryOperator.identity(), call);
    }

    /**
     * Runs the rest of the backward pass.
     *
     * @throws IllegalStateException if there are cuts of arrays that are closed by now, or another
     *     backward pass went through the network; all cuts are forgotten
     */
    synchronized void proceed() {
        if (pending.stream().anyMatch(Cut::isClosed)) {
            throw stopped();
        }
        try {
            while (!pending.isEmpty()) {
                backward(lastCall());
            }
        } finally {
            discard();
        }
    }

    private List<Cut> lastCall() {
        List<Cut> cuts = new ArrayList<>();
        ForwardContext call = pending.getLast().call();
        for (Cut cut = pending.peekLast();
                cut != null && cut.isOfCall(call);
                cut = pending.peekLast()) {
            cuts.add(pending.removeLast());
        }
        return cuts;
    }

    @SuppressWarnings("try") // the collector only has to be open
    private static void backward(List<Cut> cuts) {
        try (NDManager scope = cuts.get(0).output().getManager().newSubManager();
                GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            cuts.stream()
                    .flatMap(cut -> cut.start(scope).stream())
                    .reduce(NDArray::add)
                    .ifPresent(RepeatableBackward::from);
        } catch (EngineException e) {
            throw new IllegalStateException(
                    "step "
                            + cuts.get(0).call().step()
                            + ": the backward pass cannot go on inside the network; where gradients"
                            + " are quantized, the loss may read the outputs of the model's block,"
                            + " and nothing from inside it",
                    e);
        }
    }

    /** Forgets a pass that will not be proceeded from; its arrays are its batch's. */
    synchronized void discard() {
        pending.clear();
    }

    private IllegalStateException stopped() {
        long step = pending.getFirst().call().step();
        discard();
        return new IllegalStateException(
                "the gradients of step " + step + " stopped where they are quantized" + HOW);
    }
}
