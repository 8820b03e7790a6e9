package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A BatchNorm that is folded into the layer before it: {@code W' = W·γ/√(σ²+ε)} for each output
 * channel, and {@code b' = β + (b − μ)·γ/√(σ²+ε)}, with the running mean μ and variance σ².
 *
 * @param path the BatchNorm's dotted path
 * @param block the BatchNorm itself, with its parameters
 * @param gamma γ, shape {@code (channels)}
 * @param beta β, as γ
 * @param mean μ, as γ
 * @param variance σ², as γ
 * @param epsilon ε, positive
 * @param freezeStep from this step on training uses the running statistics and leaves them alone; 0
 *     for never
 */
public record FoldedBatchNorm(
        String path,
        Block block,
        Parameter gamma,
        Parameter beta,
        Parameter mean,
        Parameter variance,
        float epsilon,
        long freezeStep) {

    /**
     * Checks.
     *
     * @throws IllegalArgumentException if epsilon is not positive
     */
    public FoldedBatchNorm {
        if (!(epsilon > 0)) {
            throw new IllegalArgumentException(
                    "BatchNorm \"" + path + "\": epsilon " + epsilon + " is not positive");
        }
    }

    boolean isFrozen(long step) {
        return freezeStep > 0 && step >= freezeStep;
    }

    /** The values of one pass, as views that belong to it. */
    Values values(ParameterStore store, ForwardContext context, NDManager scope) {
        return values(parameter -> Alias.of(fetch(parameter, store, context), scope));
    }

    /** A lasting array of the BatchNorm, as a pass sees it. */
    NDArray fetch(Parameter parameter, ParameterStore store, ForwardContext context) {
        return store.getValue(parameter, context.device(), context.training());
    }

    /** The values as they stand, as views that belong to a scope. */
    Values values(NDManager scope) {
        return values(parameter -> Alias.of(parameter.getArray(), scope));
    }

    private Values values(Function<Parameter, NDArray> value) {
        NDArray deviation = value.apply(variance).add(epsilon).sqrt();
        return new Values(value.apply(gamma), value.apply(beta), value.apply(mean), deviation);
    }

    /**
     * What a fold computes with.
     *
     * @param gamma γ
     * @param beta β
     * @param mean μ
     * @param deviation √(σ²+ε)
     */
    record Values(NDArray gamma, NDArray beta, NDArray mean, NDArray deviation) {

        /** {@code W·γ/√(σ²+ε)}; output channels are the weight's first axis. */
        NDArray weight(NDArray weight) {
            return weight.mul(perChannel(gamma.div(deviation), weight));
        }

        /** {@code β + (b − μ)·γ/√(σ²+ε)}. */
        NDArray bias(@Nullable NDArray bias) {
            NDArray centred = bias == null ? mean.neg() : mean.neg().add(bias);
            return beta.add(centred.mul(gamma.div(deviation)));
        }

        static NDArray perChannel(NDArray channels, NDArray weight) {
            long[] shape = new long[weight.getShape().dimension()];
            java.util.Arrays.fill(shape, 1);
            shape[0] = channels.size();
            return channels.reshape(new Shape(shape));
        }
    }
}
