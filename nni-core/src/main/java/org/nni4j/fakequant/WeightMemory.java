package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nni4j.quantization.QuantizationKernels;

/**
 * The last fake-quantized value of a weight, for further passes with the weight as it is: of an
 * evaluation, or of the batches that one step accumulates.
 *
 * <p>What it was computed from is recognised by identity, and changes in place by the engine's own
 * count of them, so a weight that anybody writes to is quantized again. Where the engine does not
 * count, nothing is remembered.
 *
 * <p>In training a value comes with its graph, through which each backward pass reaches the master
 * weight. Several can go through one graph only if none of it is freed by the first; {@link
 * TensorQuantizer#passesGradient()} says so.
 */
final class WeightMemory implements AutoCloseable {

    private final QuantizationKernels kernels;
    private @Nullable Remembered evaluated;
    private @Nullable Remembered trained;
    private long lastTrained;
    private boolean accumulating;

    private record Remembered(
            List<NDArray> sources, long changes, long revision, long step, NDArray value) {

        boolean isOf(List<NDArray> others) {
            for (int i = 0; i < sources.size(); i++) {
                if (sources.get(i) != others.get(i)) {
                    return false;
                }
            }
            return sources.size() == others.size();
        }

        /** A view that belongs to a pass, which may outlive this memory of it. */
        NDArray in(NDManager scope) {
            return Alias.of(value, scope);
        }
    }

    WeightMemory(QuantizationKernels kernels) {
        this.kernels = kernels;
    }

    /**
     * Returns a quantized weight.
     *
     * @param sources the lasting arrays it is computed from, the master weight first
     * @param quantizer quantizes it
     * @param context the pass
     * @param scope owns the result
     * @param compute quantizes now; the result belongs to the scope
     */
    NDArray quantized(
            List<NDArray> sources,
            TensorQuantizer quantizer,
            ForwardContext context,
            NDManager scope,
            Supplier<NDArray> compute) {
        OptionalLong revision = quantizer.revision();
        if (!context.quantizing()
                || revision.isEmpty()
                || (context.training() && !isAccumulating(quantizer, context))) {
            return compute.get();
        }
        return remembered(sources, quantizer, revision.getAsLong(), context, scope, compute);
    }

    /**
     * Tells whether a training pass may find another one of its step, as seen before. One pass for
     * each step, which is usual, is spared the remembering.
     */
    private synchronized boolean isAccumulating(TensorQuantizer quantizer, ForwardContext context) {
        accumulating |= context.step() == lastTrained;
        lastTrained = context.step();
        return accumulating && quantizer.passesGradient();
    }

    private synchronized NDArray remembered(
            List<NDArray> sources,
            TensorQuantizer quantizer,
            long revision,
            ForwardContext context,
            NDManager scope,
            Supplier<NDArray> compute) {
        Remembered last = context.training() ? trained : evaluated;
        if (last != null && isCurrent(last, sources, revision, context)) {
            return last.in(scope);
        }
        keep(context, null);
        NDArray value = compute.get();
        Remembered now = remember(sources, quantizer, context, value);
        keep(context, now);
        return now == null ? value : now.in(scope);
    }

    private void keep(ForwardContext context, @Nullable Remembered now) {
        Remembered last = context.training() ? trained : evaluated;
        if (last != null) {
            last.value().close();
        }
        if (context.training()) {
            trained = now;
        } else {
            evaluated = now;
        }
    }

    private boolean isCurrent(
            Remembered last, List<NDArray> sources, long revision, ForwardContext context) {
        return last.revision() == revision
                && last.isOf(sources)
                // Without a step between there is one graph to go through, and it must be there.
                && (!context.training()
                        || (last.step() == context.step()
                                && kernels.isDifferentiated(last.value())
                                        == kernels.isDifferentiated(sources.get(0))))
                && kernels.changes(sources).equals(OptionalLong.of(last.changes()));
    }

    private @Nullable Remembered remember(
            List<NDArray> sources,
            TensorQuantizer quantizer,
            ForwardContext context,
            NDArray value) {
        OptionalLong changes = kernels.changes(sources);
        // Quantizing may have changed the quantizer: a restored calibration ends with training.
        OptionalLong revision = quantizer.revision();
        if (changes.isEmpty() || revision.isEmpty() || sources.contains(value)) {
            return null;
        }
        NDScope.unregister(value);
        // DJL looks for gradients in whatever a manager owns, and this array never has one.
        value.detach();
        return new Remembered(
                List.copyOf(sources),
                changes.getAsLong(),
                revision.getAsLong(),
                context.step(),
                value);
    }

    @Override
    public synchronized void close() {
        for (Remembered last : Arrays.asList(evaluated, trained)) {
            if (last != null) {
                last.value().close();
            }
        }
        evaluated = null;
        trained = null;
    }
}
