package org.nni4j.fakequant;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.nni4j.graph.Substitution;
import org.nni4j.layer.LayerWrapper;

/**
 * A layer whose operators the algorithm computes itself, from the float tensors and their
 * quantizers. It stands in the layer's slot and is otherwise the layer.
 */
public final class ComputedLayer extends LayerWrapper implements Quantized {

    private final String path;
    private final StepClock clock;
    private final LayerWeights weights;
    private final QuantizerRow inputs;
    private final LayerArithmetic arithmetic;

    /**
     * Wraps a layer.
     *
     * @param inner the layer
     * @param path its dotted path
     * @param clock counts the steps
     * @param weights the quantizer of each weight parameter
     * @param inputs makes the quantizer of an input position
     * @param arithmetic computes its operators
     */
    public ComputedLayer(
            Block inner,
            String path,
            StepClock clock,
            Map<Parameter, TensorQuantizer> weights,
            IntFunction<TensorQuantizer> inputs,
            LayerArithmetic arithmetic) {
        super(inner);
        this.path = path;
        this.clock = clock;
        this.weights = new LayerWeights(path, weights, null);
        this.inputs = new QuantizerRow(path, TensorTap.Side.INPUT, named("input"), inputs);
        this.arithmetic = arithmetic;
    }

    private String named(String tensor) {
        return "layer \"" + path + "\", " + tensor;
    }

    @Override
    protected NDList intercept(
            ParameterStore store,
            NDList tensors,
            boolean training,
            @Nullable PairList<String, Object> params) {
        if (!isInitialized()) {
            throw new IllegalStateException(
                    "layer \""
                            + path
                            + "\" is not initialized; initialize the model's block first");
        }
        NDManager scope = tensors.isEmpty() ? store.getManager() : tensors.head().getManager();
        Device device = tensors.isEmpty() ? scope.getDevice() : tensors.head().getDevice();
        ForwardContext context = new ForwardContext(training, true, clock.step(), store, device);
        IdentityHashMap<NDArray, TensorQuantizer> masters = new IdentityHashMap<>();
        ParameterView view =
                new ParameterView(
                        store, (parameter, master) -> known(parameter, master, scope, masters));
        Map<String, Substitution.Computation> computations = new HashMap<>();
        for (String operator : arithmetic.operators()) {
            computations.put(operator, arguments -> compute(operator, arguments, masters, context));
        }
        try {
            return new Substitution(computations)
                    .run(view, tensors, training, (s, in) -> proceed(s, in, training, params));
        } finally {
            masters.keySet().forEach(NDArray::close);
        }
    }

    /** Remembers whose weight an array is; the arguments of operators are told apart by it. */
    private @Nullable NDArray known(
            @Nullable Parameter parameter,
            @Nullable NDArray master,
            NDManager scope,
            IdentityHashMap<NDArray, TensorQuantizer> masters) {
        TensorQuantizer quantizer = parameter == null ? null : weights.quantizers().get(parameter);
        if (quantizer == null || master == null) {
            return master;
        }
        NDArray alias = Alias.of(master, scope);
        masters.put(alias, quantizer);
        return alias;
    }

    private NDList compute(
            String operator,
            List<@Nullable Object> arguments,
            IdentityHashMap<NDArray, TensorQuantizer> masters,
            ForwardContext context) {
        return arithmetic.compute(
                new OperatorCall(path, operator, arguments, masters, inputs, context));
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public String foldedBatchNorm() {
        return "";
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
        return Optional.empty();
    }

    @Override
    public void tap(@Nullable TensorTap tap) {
        inputs.tap(tap);
    }

    @Override
    public Map<Parameter, TensorQuantizer> weightQuantizers() {
        return weights.quantizers();
    }

    @Override
    public Map<Integer, TensorQuantizer> inputQuantizers() {
        return inputs.byPosition();
    }

    @Override
    public Map<Integer, TensorQuantizer> outputQuantizers() {
        return Map.of();
    }

    @Override
    public TensorQuantizer inputQuantizer(int position) {
        return inputs.at(position);
    }

    @Override
    public TensorQuantizer outputQuantizer(int position) {
        return QuantizerRow.at(null, named("output"), position);
    }

    @Override
    public void keepOnly(Set<Integer> inputPositions, Set<Integer> outputPositions) {
        inputs.keepOnly(inputPositions);
    }

    @Override
    public void close() {
        weights.close();
        inputs.close();
    }
}
