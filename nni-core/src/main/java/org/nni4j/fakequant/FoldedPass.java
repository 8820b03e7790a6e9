package org.nni4j.fakequant;

import static java.util.Objects.requireNonNull;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One pass of a layer with its BatchNorm.
 *
 * <p>Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018,
 * section 3.2.2, <a href="https://arxiv.org/abs/1806.08342">arXiv:1806.08342</a>: the weight is
 * folded with the running statistics, so that training quantizes what inference will, while the
 * output has the batch's statistics. Here that is one convolution:
 *
 * <pre>  BN(conv(x, W + (Q(W') − W')·σ/γ))</pre>
 *
 * The BatchNorm scales the weight in it, Q(W')·σ/γ, to Q(W') as far as the batch's statistics are
 * the running ones. Written as a sum, it is W itself where quantization changes nothing. Unlike in
 * the paper's graph, the statistics are those of the quantized weight, which inference subtracts,
 * and σ/γ is a constant to the backward pass: the BatchNorm takes no notice of a factor.
 */
final class FoldedPass {

    /** A quotient by less might not be finite; W' is as good as 0. */
    private static final float SMALLEST_GAMMA = 1e-30f;

    /** The layer itself. */
    @FunctionalInterface
    interface Layer {

        /** Runs it, with the parameters of a store. */
        NDList forward(
                ParameterStore store,
                NDList in,
                boolean training,
                @Nullable PairList<String, Object> params);
    }

    private final FoldedBatchNorm bn;
    private final QuantizedLayer owner;
    private final ParameterStore store;
    private final NDManager scope;
    private final ForwardContext context;
    private final Layer layer;

    FoldedPass(
            FoldedBatchNorm bn,
            QuantizedLayer owner,
            ParameterStore store,
            NDManager scope,
            ForwardContext context,
            Layer layer) {
        this.bn = bn;
        this.owner = owner;
        this.store = store;
        this.scope = scope;
        this.context = context;
        this.layer = layer;
    }

    NDList forward(NDList in, @Nullable PairList<String, Object> params) {
        if (!context.quantizing()) {
            return bn.block().forward(store, run(store, in, params), context.training(), params);
        }
        return context.training() && !bn.isFrozen(context.step())
                ? normalized(in, params)
                : folded(in, params);
    }

    private NDList normalized(NDList in, @Nullable PairList<String, Object> params) {
        Unfolded unfolded = new Unfolded(bn.values(store, context, scope));
        ParameterView layerView =
                new ParameterView(
                        store,
                        (parameter, master) -> {
                            TensorQuantizer quantizer = quantizer(parameter);
                            return quantizer == null || master == null
                                    ? unfolded.bias(master)
                                    : unfolded.weight(Alias.of(master, scope), quantizer);
                        });
        NDList out = run(layerView, in, params);
        ParameterView normView =
                new ParameterView(
                        store,
                        (parameter, value) ->
                                parameter == bn.gamma()
                                        ? unfolded.gamma()
                                        : parameter == bn.beta() ? unfolded.beta() : value);
        return bn.block().forward(normView, out, true, params);
    }

    /**
     * What training computes with instead of W, γ and β.
     *
     * <p>A channel that is quantized to zeros altogether is the constant b' in inference. A
     * BatchNorm of zeros would multiply its gradients by 1/√ε and let its statistics collapse, so
     * there the layer keeps W, and the BatchNorm gets 0 for γ and b' for β; γ and β keep their
     * gradients.
     */
    private final class Unfolded {

        private final FoldedBatchNorm.Values values;
        private @Nullable NDArray layerBias;
        private @Nullable NDArray lost;

        Unfolded(FoldedBatchNorm.Values values) {
            this.values = values;
        }

        NDArray weight(NDArray weight, TensorQuantizer quantizer) {
            NDArray folded = values.weight(weight);
            NDArray quantized = quantizer.quantize(folded, context);
            NDArray present = magnitude(quantized).gt(0);
            lost = magnitude(folded).gt(0).logicalAnd(present.logicalNot());
            NDArray gamma = values.gamma().stopGradient();
            NDArray factor =
                    NDArrays.where(
                            present.logicalAnd(gamma.abs().gt(SMALLEST_GAMMA)),
                            values.deviation().stopGradient().div(gamma),
                            gamma.zerosLike());
            NDArray change = quantized.sub(folded);
            return weight.add(change.mul(FoldedBatchNorm.Values.perChannel(factor, weight)));
        }

        @Nullable NDArray bias(@Nullable NDArray bias) {
            layerBias = bias;
            return bias;
        }

        NDArray gamma() {
            return exceptLost(values.gamma(), values.gamma().zerosLike());
        }

        NDArray beta() {
            return exceptLost(values.beta(), values.bias(layerBias));
        }

        /** The value as it is, and as another one where a channel was lost; its own gradient. */
        private NDArray exceptLost(NDArray value, NDArray inLost) {
            if (lost == null) {
                return value;
            }
            NDArray change = inLost.stopGradient().sub(value.stopGradient());
            return value.add(NDArrays.where(lost, change, change.zerosLike()));
        }

        /** Sum of the magnitudes of each output channel. */
        private NDArray magnitude(NDArray weight) {
            NDArray rows = weight.stopGradient().abs().reshape(weight.getShape().get(0), -1);
            return rows.sum(new int[] {1});
        }
    }

    private NDList folded(NDList in, @Nullable PairList<String, Object> params) {
        FoldedBatchNorm.Values values = bn.values(store, context, scope);
        ParameterView view =
                new ParameterView(
                        store,
                        (parameter, master) -> {
                            TensorQuantizer quantizer = quantizer(parameter);
                            if (quantizer == null || master == null) {
                                return values.bias(master);
                            }
                            NDArray weight = values.weight(Alias.of(master, scope));
                            // With a gradient through σ and γ, no two passes share a graph.
                            return context.training()
                                    ? quantizer.quantize(weight, context)
                                    : owner.quantized(
                                            requireNonNull(parameter),
                                            sources(master),
                                            context,
                                            scope,
                                            () -> weight);
                        });
        return run(view, in, params);
    }

    private List<NDArray> sources(NDArray master) {
        return List.of(
                master,
                bn.fetch(bn.gamma(), store, context),
                bn.fetch(bn.variance(), store, context));
    }

    private @Nullable TensorQuantizer quantizer(@Nullable Parameter parameter) {
        return parameter == null ? null : owner.weightQuantizers().get(parameter);
    }

    private NDList run(
            ParameterStore parameters, NDList in, @Nullable PairList<String, Object> params) {
        return layer.forward(parameters, in, context.training(), params);
    }
}
