package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.nni4j.export.network.BatchDependenceException;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.graph.BatchNormFold;
import org.nni4j.graph.BatchNormPattern;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/** Writes a traced network into an ONNX graph, operator by operator. For one use. */
public final class NetworkEmitter {

    private final TracedNetwork network;
    private final OnnxGraph onnx;
    private final EmissionHooks hooks;
    private final Map<Integer, String> names = new HashMap<>();
    private final Map<Node, BatchNormFold> folds = new HashMap<>();
    private final Map<Node, Folding> foldings = new HashMap<>();
    private final Set<Node> foldedBatchNorms = new HashSet<>();
    private final List<EmissionProblem> problems = new ArrayList<>();
    private final List<String> inputNames;
    private final BatchSize batch;

    /**
     * Makes an emitter.
     *
     * @param network to be written
     * @param onnx empty, or with whatever else the file is to hold
     * @param hooks what differs from the float export
     * @param inputNames names of the model's inputs, as many as the network has
     */
    public NetworkEmitter(
            TracedNetwork network, OnnxGraph onnx, EmissionHooks hooks, List<String> inputNames) {
        this.network = network;
        this.onnx = onnx;
        this.hooks = hooks;
        this.inputNames = List.copyOf(inputNames);
        this.batch = new BatchSize(onnx, inputNames.get(0));
    }

    /**
     * Names the operators that have neither a mapping nor a replacement. Writes nothing.
     *
     * @return in execution order, each with the layer it is in; empty if all can be written
     */
    public List<EmissionProblem> unmapped() {
        return network.graph().nodes().stream()
                .filter(
                        node ->
                                hooks.replacement(node).isEmpty()
                                        && OperatorMappings.find(node.op()).isEmpty())
                .map(
                        node ->
                                new EmissionProblem(
                                        node.name(),
                                        "operator "
                                                + node.op()
                                                + " (Java method "
                                                + node.method()
                                                + ") has no ONNX mapping"))
                .toList();
    }

    /**
     * Writes inputs and operators, and afterwards the outputs.
     *
     * @param outputNames names of the model's outputs, as many as the network has
     * @return what could not be written; if there is anything, the graph is of no use
     */
    public List<EmissionProblem> emit(List<String> outputNames) {
        for (BatchNormFold fold : BatchNormPattern.findAll(network.graph()).folds()) {
            if (hooks.folds(fold) && hooks.replacement(fold.layerNode()).isEmpty()) {
                folds.put(fold.layerNode(), fold);
                foldedBatchNorms.add(fold.batchNormNode());
            }
        }
        List<Value> inputs = network.graph().inputs();
        for (int i = 0; i < inputs.size(); i++) {
            Value input = inputs.get(i);
            onnx.input(inputNames.get(i), OnnxType.of(input.dataType()), symbols(input));
            bind(input, inputNames.get(i));
        }
        network.graph().nodes().stream()
                .filter(node -> !foldedBatchNorms.contains(node))
                .forEach(this::emit);
        if (problems.isEmpty()) {
            writeOutputs(outputNames);
        }
        return List.copyOf(problems);
    }

    private void emit(Node node) {
        BatchNormFold fold = folds.get(node);
        List<Value> results = fold == null ? node.outputs() : fold.batchNormNode().outputs();
        try {
            hooks.replacement(node)
                    .or(() -> OperatorMappings.find(node.op()))
                    .orElseThrow(() -> new UnmappedException("operator " + node.op()))
                    .emit(new Emission(this, node, results));
        } catch (UnmappedException | BatchDependenceException e) {
            problems.add(new EmissionProblem(node.name(), node.op() + ": " + e.getMessage()));
        }
        for (Value result : results) {
            // After a problem the search goes on for others; nothing will be written.
            if (!names.containsKey(result.id()) && problems.isEmpty()) {
                throw new IllegalStateException("mapping of " + node + " made no " + result);
            }
            names.putIfAbsent(result.id(), result.name());
        }
    }

    private void writeOutputs(List<String> outputNames) {
        List<Value> outputs = network.graph().outputs();
        for (int i = 0; i < outputs.size(); i++) {
            Value output = outputs.get(i);
            onnx.output(
                    name(output),
                    outputNames.get(i),
                    OnnxType.of(output.dataType()),
                    symbols(output));
        }
    }

    private List<String> symbols(Value value) {
        return network.dimensions(value).stream().map(Dimension::toString).toList();
    }

    OnnxGraph onnx() {
        return onnx;
    }

    TracedNetwork network() {
        return network;
    }

    EmissionHooks hooks() {
        return hooks;
    }

    BatchSize batch() {
        return batch;
    }

    Optional<Folding> folding(Node node) {
        return Optional.ofNullable(folds.get(node))
                .map(fold -> foldings.computeIfAbsent(node, n -> Folding.of(network, fold)));
    }

    void bind(Value value, String name) {
        names.put(value.id(), hooks.made(onnx, value, name));
    }

    void skip(Value value) {
        names.put(value.id(), "");
    }

    String read(Node consumer, String role, Value value) {
        return hooks.read(onnx, consumer, role, value, name(value));
    }

    private String name(Value value) {
        String known = names.get(value.id());
        if (known == null) {
            switch (value.kind()) {
                case PARAMETER -> names.put(value.id(), Parameters.plain(this, value));
                case CONSTANT -> bind(value, Constants.emit(this, value));
                default -> throw new IllegalStateException(value + " is read before it is made");
            }
            known = Objects.requireNonNull(names.get(value.id()));
        }
        return known;
    }
}
