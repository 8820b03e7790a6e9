package org.nni4j.fakequant;

import static java.util.Objects.requireNonNull;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.nni4j.graph.Interposition;
import org.nni4j.graph.Interposition.TensorFunction;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/** A functional operator, such as a residual add, whose inputs or outputs are fake-quantized. */
public final class QuantizedOperator implements Quantized {

    private final Node node;
    private final int startStep;
    private final StepClock clock;
    private final boolean sharedScale;
    private final @Nullable QuantizerRow inputs;
    private final @Nullable QuantizerRow outputs;

    /**
     * Stands for an operator.
     *
     * @param node the operator as traced
     * @param startStep quantization begins with this step
     * @param clock counts the steps
     * @param sharedScale whether all inputs have one quantizer, and so one scale
     * @param inputs makes the quantizer of an input position; null leaves inputs alone
     * @param outputs as inputs
     */
    public QuantizedOperator(
            Node node,
            int startStep,
            StepClock clock,
            boolean sharedScale,
            @Nullable IntFunction<TensorQuantizer> inputs,
            @Nullable IntFunction<TensorQuantizer> outputs) {
        this.node = node;
        this.startStep = startStep;
        this.clock = clock;
        this.sharedScale = sharedScale;
        this.inputs =
                inputs == null
                        ? null
                        : new QuantizerRow(
                                node.name(), TensorTap.Side.INPUT, named("input"), inputs);
        this.outputs =
                outputs == null
                        ? null
                        : new QuantizerRow(
                                node.name(), TensorTap.Side.OUTPUT, named("output"), outputs);
    }

    private String named(String tensor) {
        return "operator \"" + node.name() + "\", " + tensor;
    }

    /**
     * Returns what becomes of the operator's tensors while the network runs.
     *
     * @return for the interposer
     */
    public Interposition interposition() {
        Map<Integer, TensorFunction> results = functions(outputs, node.outputs());
        if (inputs != null && sharedScale && takesFloating()) {
            return Interposition.ofInputsTogether(this::together, results);
        }
        return new Interposition(functions(inputs, node.inputs()), results);
    }

    private boolean takesFloating() {
        return node.inputs().stream().anyMatch(value -> value.dataType().isFloating());
    }

    private Map<Integer, TensorFunction> functions(@Nullable QuantizerRow row, List<Value> values) {
        Map<Integer, TensorFunction> functions = new HashMap<>();
        for (int i = 0; row != null && i < values.size(); i++) {
            if (values.get(i).dataType().isFloating()) {
                int position = i;
                functions.put(
                        i,
                        (tensor, store, training) ->
                                row.quantize(position, tensor, context(tensor, store, training)));
            }
        }
        return functions;
    }

    private List<NDArray> together(List<NDArray> tensors, ParameterStore store, boolean training) {
        return requireNonNull(inputs)
                .quantizeTogether(new NDList(tensors), context(tensors.get(0), store, training));
    }

    private ForwardContext context(NDArray tensor, ParameterStore store, boolean training) {
        long step = clock.step();
        return new ForwardContext(training, step >= startStep, step, store, tensor.getDevice());
    }

    @Override
    public String path() {
        return node.name();
    }

    @Override
    public Map<Parameter, TensorQuantizer> weightQuantizers() {
        return Map.of();
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
    public String foldedBatchNorm() {
        return "";
    }

    @Override
    public void describeWeights() {
        // an operator has none
    }

    @Override
    public NDArray quantizedWeight(Parameter parameter, NDManager scope) {
        throw new IllegalArgumentException(
                "operator \""
                        + node.name()
                        + "\" has no parameter \""
                        + parameter.getName()
                        + "\"");
    }

    @Override
    public Optional<NDArray> foldedBias(@Nullable Parameter bias, NDManager scope) {
        return Optional.empty();
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
        if (inputs != null) {
            inputs.close();
        }
        if (outputs != null) {
            outputs.close();
        }
    }
}
