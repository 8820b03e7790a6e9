package org.nni4j.examples;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.util.Pair;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.nni4j.checkpoint.StatefulOptimizer;

/**
 * Stochastic gradient descent with Nesterov momentum: {@code g' = g + decay·w}, {@code v =
 * momentum·v + g'}, {@code w = w - rate·(g' + momentum·v)}.
 *
 * <p>DJL's own {@code Nag} is not implemented on the PyTorch engine, and its {@code Sgd} has plain
 * momentum only. Sutskever et al., "On the importance of initialization and momentum in deep
 * learning", ICML 2013, in the form PyTorch gives it.
 */
final class NesterovSgd extends Optimizer implements StatefulOptimizer {
    private final ParameterTracker learningRate;
    private final float momentum;
    private final Map<String, Map<Device, NDArray>> velocities = new ConcurrentHashMap<>();

    private NesterovSgd(Builder builder) {
        super(builder);
        learningRate = builder.learningRate;
        momentum = builder.momentum;
    }

    static Builder builder(ParameterTracker learningRate, float momentum) {
        return new Builder(learningRate, momentum);
    }

    @Override
    public void update(String parameterId, NDArray weight, NDArray grad) {
        float rate = learningRate.getNewValue(parameterId, updateCount(parameterId));
        NDArray velocity = velocity(parameterId, weight);
        try (NDArray decay = weight.mul(getWeightDecay())) {
            grad.addi(decay);
        }
        velocity.muli(momentum).addi(grad);
        try (NDArray ahead = velocity.mul(momentum)) {
            grad.addi(ahead);
        }
        // plain SGD is one native call that also clears the weight's gradient
        weight.getNDArrayInternal()
                .sgdUpdate(new NDList(weight, grad), new NDList(weight), rate, 0, 1, -1, 0, false);
    }

    private NDArray velocity(String parameterId, NDArray weight) {
        return withDefaultState(
                velocities, parameterId, weight.getDevice(), id -> weight.zerosLike());
    }

    @Override
    public Map<String, Map<String, Map<Device, NDArray>>> parameterStates() {
        return Map.of("velocities", velocities);
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("rate", learningRate.toString(), "momentum", String.valueOf(momentum));
    }

    /**
     * Returns the velocity of each trained parameter, in the block's order, named after it.
     *
     * @return the optimizer's own arrays; nothing for parameters not yet updated
     */
    NDList velocities(Block block) {
        NDList list = new NDList();
        for (Pair<String, Parameter> parameter : block.getParameters()) {
            Map<Device, NDArray> byDevice = velocities.get(parameter.getValue().getId());
            if (byDevice != null) {
                NDArray velocity = byDevice.values().iterator().next();
                velocity.setName(parameter.getKey());
                list.add(velocity);
            }
        }
        return list;
    }

    /**
     * Takes velocities that {@link #velocities} gave for a block of the same structure.
     *
     * @param list this optimizer owns its arrays from now on
     */
    void restore(Block block, NDList list) {
        ParameterList parameters = block.getParameters();
        for (NDArray velocity : list) {
            check(parameters.get(velocity.getName()), velocity);
        }
        for (NDArray velocity : list) {
            velocity.detach();
            Map<Device, NDArray> byDevice = new ConcurrentHashMap<>();
            byDevice.put(velocity.getDevice(), velocity);
            velocities.put(parameters.get(velocity.getName()).getId(), byDevice);
        }
    }

    private static void check(@Nullable Parameter parameter, NDArray velocity) {
        if (parameter == null) {
            throw new IllegalArgumentException(
                    "\"" + velocity.getName() + "\" is no parameter of the network");
        }
        Shape shape = parameter.getArray().getShape();
        if (!velocity.getShape().equals(shape)) {
            throw new IllegalArgumentException(
                    velocity.getName() + ": " + velocity.getShape() + "; expected " + shape);
        }
    }

    /** Builds the optimizer. */
    static final class Builder extends OptimizerBuilder<Builder> {
        private final ParameterTracker learningRate;
        private final float momentum;

        private Builder(ParameterTracker learningRate, float momentum) {
            this.learningRate = learningRate;
            this.momentum = momentum;
        }

        @Override
        protected Builder self() {
            return this;
        }

        NesterovSgd build() {
            return new NesterovSgd(this);
        }
    }
}
