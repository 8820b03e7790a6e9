package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.Quantized;
import org.nni4j.fakequant.TensorTap;

/**
 * A look at what a quantized model computes with, for exporters. Obtained from {@link
 * Quantizer#inspect()}; good until the quantizer is closed.
 */
public final class Inspection {

    private final Model model;
    private final Map<String, Quantized> layers;
    private final Runnable checkAttached;
    private final Consumer<Runnable> detached;

    Inspection(
            Model model,
            Map<String, Quantized> layers,
            Runnable checkAttached,
            Consumer<Runnable> detached) {
        this.model = model;
        this.layers = layers;
        this.checkAttached = checkAttached;
        this.detached = detached;
    }

    /**
     * Returns a weight as evaluation computes with it: with its BatchNorm folded in, and
     * fake-quantized.
     *
     * @param layer the layer's path
     * @param parameter the parameter's name
     * @param scope owns the result
     * @return the parameter's shape; empty if it is not quantized
     */
    public Optional<NDArray> quantizedWeight(String layer, String parameter, NDManager scope) {
        return Optional.ofNullable(layers.get(layer))
                .flatMap(
                        quantized ->
                                quantized.weightQuantizers().keySet().stream()
                                        .filter(p -> p.getName().equals(parameter))
                                        .findFirst()
                                        .map(p -> quantized.quantizedWeight(p, scope)));
    }

    /**
     * Returns the bias that evaluation computes with where a BatchNorm was folded into the layer.
     *
     * @param layer the layer's path
     * @param bias the layer's own bias; empty if it has none
     * @param scope owns the result
     * @return shape {@code (channels)}; empty if nothing was folded in
     */
    public Optional<NDArray> foldedBias(String layer, Optional<Parameter> bias, NDManager scope) {
        return Optional.ofNullable(layers.get(layer))
                .flatMap(quantized -> quantized.foldedBias(bias.orElse(null), scope));
    }

    /**
     * Fake-quantizes a tensor as an input or output is in evaluation.
     *
     * @param path of the layer, or the traced name of the operator
     * @param side input or output
     * @param position among the layer's inputs or outputs
     * @param tensor any floating shape
     * @return same shape, owned by the tensor's manager
     * @throws IllegalArgumentException if that is not quantized
     */
    public NDArray fakeQuantize(String path, TensorTap.Side side, int position, NDArray tensor) {
        Quantized quantized = layers.get(path);
        if (quantized == null) {
            throw new IllegalArgumentException("\"" + path + "\" is not quantized");
        }
        ParameterStore store = new ParameterStore(tensor.getManager(), false);
        ForwardContext evaluation =
                new ForwardContext(false, true, Long.MAX_VALUE, store, tensor.getDevice());
        return (side == TensorTap.Side.INPUT
                        ? quantized.inputQuantizer(position)
                        : quantized.outputQuantizer(position))
                .quantize(tensor, evaluation);
    }

    /**
     * Evaluates the model, and shows every input and output that is fake-quantized on the way. One
     * thread at a time.
     *
     * @param inputs of the model; left as they are
     * @param tap what is shown them
     * @return the model's outputs, owned by the inputs' manager
     * @throws IllegalStateException if the quantizer is closed, or the quantizers are not in the
     *     model
     */
    public NDList evaluate(NDList inputs, TensorTap tap) {
        checkAttached.run();
        layers.values().forEach(layer -> layer.tap(tap));
        try {
            NDManager scope = inputs.head().getManager();
            return model.getBlock().forward(new ParameterStore(scope, false), inputs, false);
        } finally {
            layers.values().forEach(layer -> layer.tap(null));
        }
    }

    /**
     * Gives the float network to a function: the quantizers are taken out for the time it runs.
     *
     * @param function gets the model's block
     * @param <T> what it makes
     * @return what the function returns
     * @throws IllegalStateException if the quantizer is closed, or the quantizers are not in the
     *     model
     */
    public <T> T onFloatNetwork(Function<Block, T> function) {
        List<T> result = new ArrayList<>(1);
        detached.accept(() -> result.add(function.apply(model.getBlock())));
        return result.get(0);
    }
}
