package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Notices a network that is trained by an optimizer whose steps are not counted.
 *
 * <p>Without counted steps {@code quant_start_step} is never reached and the network would stay
 * float in silence. Several forwards between two steps are normal (gradient accumulation), but then
 * the weights stand still. So from the second training forward without a counted step in between,
 * the weights are looked at: if they move, somebody else moves them. Training as usual, one forward
 * for each step, costs nothing.
 */
public final class OptimizerWatch {

    /** Enough parameters to see movement, few enough to be read back cheaply. */
    private static final int WATCHED = 4;

    private final List<Parameter> parameters;
    private final StepClock clock;
    private @Nullable Object witness;
    private long seenStep;
    private List<Sample> samples = List.of();

    /** A parameter's array, and one number that changes when the array does. */
    private record Sample(Parameter parameter, NDArray array, float squares) {

        static Sample of(Parameter parameter) {
            NDArray array = parameter.getArray();
            return new Sample(parameter, array, squares(array));
        }

        /** Loading gives a parameter another array; optimizers write into the one it has. */
        boolean isReplaced() {
            return !parameter.isInitialized() || parameter.getArray() != array;
        }

        boolean isMoved() {
            return Float.compare(squares(array), squares) != 0;
        }

        private static float squares(NDArray array) {
            try (NDManager scope = array.getManager().newSubManager();
                    NDArray view = array.stopGradient()) {
                view.tempAttach(scope);
                return view.square().sum().toType(DataType.FLOAT32, false).toFloatArray()[0];
            }
        }
    }

    /**
     * Watches some trained parameters.
     *
     * @param parameters the network's parameters
     * @param clock counts the steps that are known
     */
    public OptimizerWatch(List<Parameter> parameters, StepClock clock) {
        this.parameters = List.copyOf(parameters);
        this.clock = clock;
    }

    /** Forgets what was seen, after the weights were changed on purpose. */
    public synchronized void reset() {
        seenStep = 0;
        samples = List.of();
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
            samples = List.of();
        } else if (samples.isEmpty() || samples.stream().anyMatch(Sample::isReplaced)) {
            samples = sample();
        } else if (samples.stream().anyMatch(Sample::isMoved)) {
            throw new IllegalStateException(
                    "the weights changed after step "
                            + (seenStep - 1)
                            + ", but the optimizer that changed them is not the quantizer's; give"
                            + " the trainer"
                            + " DefaultTrainingConfig.optOptimizer(quantizer.optimizer())");
        }
    }

    /** Takes parameters from all over the network: the first ones are often frozen. */
    private List<Sample> sample() {
        List<Parameter> trained =
                parameters.stream().filter(p -> p.requiresGradient() && p.isInitialized()).toList();
        int stride = Math.max(1, trained.size() / WATCHED);
        return IntStream.range(0, trained.size())
                .filter(i -> i % stride == 0)
                .limit(WATCHED)
                .mapToObj(i -> Sample.of(trained.get(i)))
                .toList();
    }
}
