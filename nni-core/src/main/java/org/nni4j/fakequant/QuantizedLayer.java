package org.nni4j.fakequant;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.LayerWrapper;

/**
 * A layer whose inputs, weights or outputs are fake-quantized. It stands in the layer's slot and is otherwise the layer.
 */
public final class QuantizedLayer extends LayerWrapper {

    private final String path;
    private final int startStep;
    private final StepClock clock;
    private final OptimizerWatch watch;
    private final Map<Parameter, TensorQuantizer> weights;
    private final @Nullable QuantizerRow inputs;
    private final @Nullable QuantizerRow outputs;

    /**
     * Wraps a layer.
     *
     * @param inner the layer
     * @param path its dotted path
     * @param startStep quantization begins with this step
     * @param clock counts the steps
     * @param watch is told of each training forward
     * @param weights the quantizer of each weight parameter
     * @param inputs makes the quantizer of an input position; null leaves inputs alone
     * @param outputs as inputs
     */
    public QuantizedLayer(
            Block inner,
            String path,
            int startStep,
            StepClock clock,
            OptimizerWatch watch,
            Map<Parameter, TensorQuantizer> weights,
            @Nullable IntFunction<TensorQuantizer> inputs,
            @Nullable IntFunction<TensorQuantizer> outputs) {
        super(inner);
        this.path = path;
        this.startStep = startStep;
        this.clock = clock;
        this.watch = watch;
        this.weights = new LinkedHashMap<>(weights);
        this.inputs = inputs == null ? null : new QuantizerRow(named("input"), inputs);
        this.outputs = outputs == null ? null : new QuantizerRow(named("output"), outputs);
    }

    private String named(String tensor) {
        return "layer \"" + path + "\", " + tensor;
    }

    /**
     * Returns the layer's dotted path.
     *
     * @return for instance {@code "01SequentialBlock.01Conv2d"}
     */
    public String path() {
        return path;
    }

    @Override
    protected NDList intercept(
            ParameterStore store,
            NDList tensors,
            boolean training,
            @Nullable PairList<String, Object> params) {
        if (training) {
            watch.trainingForward(this);
        }
        NDManager scope = tensors.isEmpty() ? store.getManager() : tensors.head().getManager();
        Device device = tensors.isEmpty() ? scope.getDevice() : tensors.head().getDevice();
        ForwardContext context = context(store, training, device);
        NDList in = inputs == null ? tensors : inputs.quantize(tensors, context);
        NDList out = proceed(view(store, scope, context), in, training, params);
        return outputs == null ? out : outputs.quantize(out, context);
    }

    private ForwardContext context(ParameterStore store, boolean training, Device device) {
        long step = clock.step();
        return new ForwardContext(training, step >= startStep, step, store, device);
    }

    private ParameterStore view(ParameterStore store, NDManager scope, ForwardContext context) {
        if (weights.isEmpty()) {
            return store;
        }
        return new ParameterView(
                store,
                (parameter, master) -> {
                    TensorQuantizer quantizer = weights.get(parameter);
                    return quantizer == null
                            ? master
                            : quantizer.quantize(alias(master, scope), context);
                });
    }

    /**
     * Makes a view of a master weight that belongs to the pass: what is computed from it then belongs to the pass too, and
     * not to the model, where it would pile up. Gradients flow through.
     */
    private static NDArray alias(NDArray master, NDManager scope) {
        NDArray alias = master.reshape(master.getShape());
        alias.attach(scope);
        return alias;
    }

    /** Shows each weight quantizer the weight as it stands now, so that its calibration describes that. */
    public void describeWeights() {
        weights.forEach(
                (parameter, quantizer) -> {
                    NDArray master = parameter.getArray();
                    try (NDManager scope = master.getManager().newSubManager()) {
                        quantizer.describe(alias(master, scope));
                    }
                });
    }

    /**
     * Returns the quantizers of the weight parameters.
     *
     * @return in the layer's order
     */
    public Map<Parameter, TensorQuantizer> weightQuantizers() {
        return Collections.unmodifiableMap(weights);
    }

    /**
     * Returns the quantizers of the inputs seen so far, by position.
     *
     * @return empty if inputs are not quantized
     */
    public Map<Integer, TensorQuantizer> inputQuantizers() {
        return inputs == null ? Map.of() : inputs.byPosition();
    }

    /**
     * Returns the quantizers of the outputs seen so far, by position.
     *
     * @return empty if outputs are not quantized
     */
    public Map<Integer, TensorQuantizer> outputQuantizers() {
        return outputs == null ? Map.of() : outputs.byPosition();
    }

    /**
     * Returns the quantizer of an input position, making it if no tensor has arrived there yet.
     *
     * @param position from 0
     * @return the quantizer
     * @throws IllegalStateException if inputs are not quantized
     */
    public TensorQuantizer inputQuantizer(int position) {
        return at(inputs, "input", position);
    }

    /**
     * Returns the quantizer of an output position, making it if no tensor has arrived there yet.
     *
     * @param position from 0
     * @return the quantizer
     * @throws IllegalStateException if outputs are not quantized
     */
    public TensorQuantizer outputQuantizer(int position) {
        return at(outputs, "output", position);
    }

    private TensorQuantizer at(@Nullable QuantizerRow row, String what, int position) {
        if (row == null) {
            throw new IllegalStateException(named(what) + ": is not quantized");
        }
        return row.at(position);
    }

    /** Closes the quantizers; the layer itself lives on. */
    public void close() {
        weights.values().forEach(TensorQuantizer::close);
        if (inputs != null) {
            inputs.close();
        }
        if (outputs != null) {
            outputs.close();
        }
    }
}
