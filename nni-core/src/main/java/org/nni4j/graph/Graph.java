package org.nni4j.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The operators of one traced forward pass, in execution order, and the tensors between them.
 * Immutable.
 */
public final class Graph {

    private final List<Node> nodes;
    private final List<Value> inputs;
    private final List<Value> outputs;
    private final List<Readback> readbacks;
    private final boolean training;
    private final Map<String, Node> byName = new HashMap<>();
    private final Map<String, List<Node>> byLayer = new HashMap<>();
    private final Map<Integer, Node> producers = new HashMap<>();
    private final Map<Integer, List<Node>> consumers = new HashMap<>();

    /**
     * Makes a graph.
     *
     * @param nodes in execution order, with unique names
     * @param inputs the network's inputs, used or not
     * @param outputs what the network returned; a value may be there twice
     * @param readbacks what is not static
     * @param training whether the pass was a training pass
     * @throws IllegalArgumentException if two nodes share a name
     */
    public Graph(
            List<Node> nodes,
            List<Value> inputs,
            List<Value> outputs,
            List<Readback> readbacks,
            boolean training) {
        this.nodes = List.copyOf(nodes);
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        this.readbacks = List.copyOf(readbacks);
        this.training = training;
        for (Node node : this.nodes) {
            if (byName.put(node.name(), node) != null) {
                throw new IllegalArgumentException("two nodes are named \"" + node.name() + "\"");
            }
            byLayer.computeIfAbsent(node.layer(), layer -> new ArrayList<>()).add(node);
            node.outputs().forEach(v -> producers.put(v.id(), node));
            node.inputs().stream().distinct().forEach(v -> consumersOf(v).add(node));
        }
    }

    private List<Node> consumersOf(Value value) {
        return consumers.computeIfAbsent(value.id(), id -> new ArrayList<>());
    }

    /**
     * Returns the operators.
     *
     * @return in execution order
     */
    public List<Node> nodes() {
        return nodes;
    }

    /**
     * Returns the network's inputs.
     *
     * @return in argument order
     */
    public List<Value> inputs() {
        return inputs;
    }

    /**
     * Returns what the network returned.
     *
     * @return in order; an input or a parameter may be among them
     */
    public List<Value> outputs() {
        return outputs;
    }

    /**
     * Returns what kept the pass from being static.
     *
     * @return in order of appearance; empty for a graph that holds for every input of the same
     *     shape
     */
    public List<Readback> readbacks() {
        return readbacks;
    }

    /**
     * Says whether a training pass was traced.
     *
     * @return false for the default, inference
     */
    public boolean training() {
        return training;
    }

    /**
     * Says whether the graph holds for every input of the traced shapes.
     *
     * @return whether there are no {@link #readbacks()}
     */
    public boolean isStatic() {
        return readbacks.isEmpty();
    }

    /**
     * Finds a node by its name.
     *
     * @param name for instance {@code 02Residual.Add1}
     * @return empty if there is none
     */
    public Optional<Node> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /**
     * Returns the nodes that ran directly under a layer.
     *
     * @param layer the dotted path; empty for the root block itself
     * @return in execution order, of all runs
     */
    public List<Node> nodesOf(String layer) {
        return Collections.unmodifiableList(byLayer.getOrDefault(layer, List.of()));
    }

    /**
     * Returns the node that made a value.
     *
     * @param value one of this graph's values
     * @return empty for inputs, parameters and constants
     */
    public Optional<Node> producer(Value value) {
        return Optional.ofNullable(producers.get(value.id()));
    }

    /**
     * Returns the nodes that read a value. The network's own output is not among them: see {@link
     * #outputs()}.
     *
     * @param value one of this graph's values
     * @return in execution order, each once
     */
    public List<Node> consumers(Value value) {
        return List.copyOf(consumers.getOrDefault(value.id(), List.of()));
    }

    /**
     * Returns every value: inputs, parameters, constants and computed ones.
     *
     * @return by id
     */
    public List<Value> values() {
        Map<Integer, Value> all = new java.util.TreeMap<>();
        inputs.forEach(v -> all.put(v.id(), v));
        for (Node node : nodes) {
            node.inputs().forEach(v -> all.put(v.id(), v));
            node.outputs().forEach(v -> all.put(v.id(), v));
        }
        outputs.forEach(v -> all.put(v.id(), v));
        return List.copyOf(all.values());
    }

    /** Returns a listing: one line per operator. */
    @Override
    public String toString() {
        return GraphListing.print(this, Map.of());
    }

    /**
     * Returns a listing with marks.
     *
     * @param marks a short text by node name or value name, printed behind it
     * @return one line per operator
     */
    public String toString(Map<String, String> marks) {
        return GraphListing.print(this, marks);
    }

    /**
     * Writes Graphviz DOT.
     *
     * @param marks a short text by node name or value name; marked nodes and edges are coloured
     * @return a digraph
     */
    public String toDot(Map<String, String> marks) {
        return DotWriter.write(this, marks);
    }

    /**
     * Writes a Mermaid flowchart, which Markdown viewers draw.
     *
     * @param marks a short text by node name or value name; marked nodes and edges are coloured
     * @return a flowchart, without the code fence
     */
    public String toMermaid(Map<String, String> marks) {
        return MermaidWriter.write(this, marks);
    }
}
