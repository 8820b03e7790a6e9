package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Notices a network that is trained by an optimizer whose steps are not counted.
 *
 * <p>Without counted steps {@code quant_start_step} is never reached and the network would stay float in silence. Several
 * forwards between two steps are normal (gradient accumulation), but then the weights stand still. So from the second
 * training forward without a counted step in between, the weights are looked at: if they move, somebody else moves them.
 * Training as usual, one forward for each step, costs nothing.
 */
public final class OptimizerWatch {

    /** Enough weights to see movement, few enough to be read back cheaply. */
    private static final int WATCHED = 4;

    private final List<Parameter> watched;
    private final StepClock clock;
    private @Nullable Object witness;
    private long seenStep;
    private int forwards;
    private float @Nullable [] sums;

    /**
     * Watches some trained parameters.
     *
     * @param parameters the network's parameters
     * @param clock counts the steps that are known
     */
    public OptimizerWatch(List<Parameter> parameters, StepClock clock) {
        this.watched =
                parameters.stream().filter(Parameter::requiresGradient).limit(WATCHED).toList();
        this.clock = clock;
    }

    /** Forgets what was seen, after the weights were changed on purpose (loaded, restored). */
    public synchronized void reset() {
        seenStep = 0;
        forwards = 0;
        sums = null;
    }

    /**
     * Takes note of a training forward.
     *
     * @param layer the layer that runs; the first one ever seen stands for the whole pass
     * @throws IllegalStateException if the weights changed though no step was counted
     */
    synchronized void trainingForward(Object layer) {
        clock.forward();
        if (witness == null) {
            witness = layer;
        }
        if (witness != layer) {
            return;
        }
        if (clock.step() != seenStep) {
            seenStep = clock.step();
            forwards = 1;
            sums = null;
            return;
        }
        forwards++;
        float[] now = sums();
        if (sums != null && !Arrays.equals(sums, now)) {
            throw new IllegalStateException(
                    "the weights changed after step "
                            + (seenStep - 1)
                            + ", but the optimizer that changed them is not the quantizer's; give the"
                            + " trainer DefaultTrainingConfig.optOptimizer(quantizer.optimizer())");
        }
        sums = now;
    }

    private float[] sums() {
        float[] result = new float[watched.size()];
        for (int i = 0; i < result.length; i++) {
            Parameter parameter = watched.get(i);
            if (parameter.isInitialized()) {
                NDArray array = parameter.getArray();
                try (NDManager scope = array.getManager().newSubManager();
                        NDArray view = array.stopGradient()) {
                    view.tempAttach(scope);
                    result[i] = view.sum().toFloatArray()[0];
                }
            }
        }
        return result;
    }
}
