package org.nni4j.fakequant;

import static java.util.Objects.requireNonNull;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.UninitializedParameterException;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.LayerWrapper;
import org.nni4j.quantization.QuantizationKernels;

/**
 * A layer whose inputs, weights or outputs are fake-quantized. It stands in the layer's slot and is
 * otherwise the layer.
 */
public final class QuantizedLayer extends LayerWrapper implements Quantized {

    private final String path;
    private final int startStep;
    private final StepClock clock;
    private final OptimizerWatch watch;
    private final LayerWeights weights;
    private final Map<Parameter, WeightMemory> memories = new HashMap<>();
    private final @Nullable FoldedBatchNorm fold;
    private final boolean sharedScale;
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
     * @param kernels the kernels that the quantizers compute with
     * @param weights the quantizer of each weight parameter
     * @param fold the BatchNorm folded into this layer, which is then a convolution or linear
     *     layer; or null
     * @param sharedScale whether all inputs have one quantizer, and so one scale
     * @param inputs makes the quantizer of an input position; null leaves inputs alone
     * @param outputs as inputs
     */
    public QuantizedLayer(
            Block inner,
            String path,
            int startStep,
            StepClock clock,
            OptimizerWatch watch,
            QuantizationKernels kernels,
            Map<Parameter, TensorQuantizer> weights,
            @Nullable FoldedBatchNorm fold,
            boolean sharedScale,
            @Nullable IntFunction<TensorQuantizer> inputs,
            @Nullable IntFunction<TensorQuantizer> outputs) {
        super(inner);
        this.path = path;
        this.startStep = startStep;
        this.clock = clock;
        this.watch = watch;
        this.weights = new LayerWeights(path, weights, fold);
        weights.keySet().forEach(weight -> memories.put(weight, new WeightMemory(kernels)));
        this.fold = fold;
        this.sharedScale = sharedScale;
        this.inputs =
                inputs == null
                        ? null
                        : new QuantizerRow(path, TensorTap.Side.INPUT, named("input"), inputs);
        this.outputs =
                outputs == null
                        ? null
                        : new QuantizerRow(path, TensorTap.Side.OUTPUT, named("output"), outputs);
    }

    private String named(String tensor) {
        return "layer \"" + path + "\", " + tensor;
    }

    @Override
    public String foldedBatchNorm() {
        return fold == null ? "" : fold.path();
    }

    @Override
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
        try {
            return pass(store, tensors, training, params);
        } catch (UninitializedParameterException e) {
            throw new IllegalStateException(
                    "layer \""
                            + path
                            + "\" is not initialized; call trainer.initialize(shape), or initialize"
                            + " the model's block, first",
                    e);
        }
    }

    private NDList pass(
            ParameterStore store,
            NDList tensors,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDManager scope = tensors.isEmpty() ? store.getManager() : tensors.head().getManager();
        Device device = tensors.isEmpty() ? scope.getDevice() : tensors.head().getDevice();
        ForwardContext context = context(store, training, device);
        NDList in = inputs == null ? tensors : quantized(inputs, tensors, context);
        NDList out =
                fold == null
                        ? proceed(view(store, scope, context), in, training, params)
                        : new FoldedPass(fold, this, store, scope, context, this::proceed)
                                .forward(in, params);
        return outputs == null ? out : outputs.quantize(out, context);
    }

    private NDList quantized(QuantizerRow row, NDList tensors, ForwardContext context) {
        return sharedScale
                ? row.quantizeTogether(tensors, context)
                : row.quantize(tensors, context);
    }

    private ForwardContext context(ParameterStore store, boolean training, Device device) {
        long step = clock.step();
        return new ForwardContext(training, step >= startStep, step, store, device);
    }

    private ParameterStore view(ParameterStore store, NDManager scope, ForwardContext context) {
        if (weights.quantizers().isEmpty()) {
            return store;
        }
        return new ParameterView(
                store,
                (parameter, master) -> {
                    if (parameter == null
                            || master == null
                            || !weights.quantizers().containsKey(parameter)) {
                        return master;
                    }
                    return quantized(
                            parameter,
                            List.of(master),
                            context,
                            scope,
                            () -> Alias.of(master, scope));
                });
    }

    /**
     * Quantizes a weight, unless that was done before and nothing has changed.
     *
     * @param parameter one that is quantized
     * @param sources what the weight to be quantized is computed from
     * @param context the pass
     * @param scope owns the result
     * @param weight computes the weight to be quantized
     */
    NDArray quantized(
            Parameter parameter,
            List<NDArray> sources,
            ForwardContext context,
            NDManager scope,
            Supplier<NDArray> weight) {
        TensorQuantizer quantizer = requireNonNull(weights.quantizers().get(parameter));
        List<NDArray> all = new ArrayList<>(sources);
        for (Parameter learned : quantizer.learnedParameters()) {
            if (learned.isInitialized()) {
                all.add(learned.getArray());
            }
        }
        return requireNonNull(memories.get(parameter))
                .quantized(
                        all,
                        quantizer,
                        context,
                        scope,
                        () -> quantizer.quantize(weight.get(), context));
    }

    @Override
    public void describeWeights() {
        weights.describe();
    }

    @Override
    public NDArray quantizedWeight(Parameter parameter, NDManager scope) {
        return weights.evaluated(parameter, clock, scope);
    }

    @Override
    public Optional<NDArray> foldedBias(@Nullable Parameter bias, NDManager scope) {
        if (fold == null) {
            return Optional.empty();
        }
        NDArray value = bias == null ? null : Alias.of(bias.getArray(), scope);
        return Optional.of(fold.values(scope).bias(value));
    }

    @Override
    public Map<Parameter, TensorQuantizer> weightQuantizers() {
        return weights.quantizers();
    }

    @Override
    public Map<Integer, TensorQuantizer> inputQuantizers() {
        return inputs == null ? Map.of() : inputs.byPosition();
    }

    @Override
    public Map<Integer, TensorQuantizer> outputQuantizers() {
        return outputs == null ? Map.of() : outputs.byPosition();
    }

    @Override
    public TensorQuantizer inputQuantizer(int position) {
        return QuantizerRow.at(inputs, named("input"), position);
    }

    @Override
    public TensorQuantizer outputQuantizer(int position) {
        return QuantizerRow.at(outputs, named("output"), position);
    }

    @Override
    public void tap(@Nullable TensorTap tap) {
        if (inputs != null) {
            inputs.tap(tap);
        }
        if (outputs != null) {
            outputs.tap(tap);
        }
    }

    @Override
    public void keepOnly(Set<Integer> inputPositions, Set<Integer> outputPositions) {
        if (inputs != null) {
            inputs.keepOnly(inputPositions);
        }
        if (outputs != null) {
            outputs.keepOnly(outputPositions);
        }
    }

    @Override
    public void close() {
        memories.values().forEach(WeightMemory::close);
        weights.close();
        if (inputs != null) {
            inputs.close();
        }
        if (outputs != null) {
            outputs.close();
        }
    }
}
