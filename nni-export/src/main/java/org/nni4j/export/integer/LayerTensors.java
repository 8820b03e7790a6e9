package org.nni4j.export.integer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/**
 * The tensors that go into a layer and come out of it, in one run of it.
 *
 * @param inputs for each position, who reads that tensor within the layer
 * @param outputs by position
 */
record LayerTensors(List<List<Use>> inputs, List<Value> outputs) {

    /**
     * A tensor as an operator reads it.
     *
     * @param node the reader
     * @param input which of its inputs
     */
    record Use(Node node, int input) {

        Value value() {
            return node.inputs().get(input);
        }

        /* A node is its index: comparing all it holds would take long. */
        @Override
        public boolean equals(@Nullable Object o) {
            return o instanceof Use u && node.index() == u.node.index() && input == u.input;
        }

        @Override
        public int hashCode() {
            return 31 * node.index() + input;
        }
    }

    /** Those of a functional operator, in each run of the layer it stands in. */
    static List<LayerTensors> ofOperator(LayerNodes layers, Node operator) {
        return layers.runs(operator).stream()
                .map(
                        n ->
                                new LayerTensors(
                                        IntStream.range(0, n.inputs().size())
                                                .mapToObj(i -> List.of(new Use(n, i)))
                                                .toList(),
                                        n.outputs()))
                .toList();
    }

    /** Those of a layer: one entry for each run, one alone for a layer that holds others. */
    static List<LayerTensors> ofLayer(Graph graph, LayerNodes layers, String path) {
        Map<Integer, List<Node>> runs = new TreeMap<>();
        List<Node> inside = layers.inside(path);
        boolean leaf = layers.direct(path).size() == inside.size();
        inside.forEach(
                n -> runs.computeIfAbsent(leaf ? n.run() : 0, r -> new ArrayList<>()).add(n));
        return runs.values().stream().map(nodes -> boundary(graph, nodes)).toList();
    }

    private static LayerTensors boundary(Graph graph, List<Node> nodes) {
        Set<Integer> made =
                nodes.stream()
                        .flatMap(n -> n.outputs().stream())
                        .map(Value::id)
                        .collect(Collectors.toSet());
        Map<Integer, List<Use>> inputs = new LinkedHashMap<>();
        for (Node node : nodes) {
            for (int i = 0; i < node.inputs().size(); i++) {
                Value value = node.inputs().get(i);
                boolean outside =
                        value.kind() == Value.Kind.INPUT || value.kind() == Value.Kind.COMPUTED;
                if (outside && !made.contains(value.id())) {
                    inputs.computeIfAbsent(value.id(), v -> new ArrayList<>())
                            .add(new Use(node, i));
                }
            }
        }
        Set<Integer> within = nodes.stream().map(Node::index).collect(Collectors.toSet());
        List<Value> outputs =
                nodes.stream()
                        .flatMap(n -> n.outputs().stream())
                        .filter(v -> isReadOutside(graph, v, within))
                        .toList();
        return new LayerTensors(List.copyOf(inputs.values()), outputs);
    }

    private static boolean isReadOutside(Graph graph, Value value, Set<Integer> nodes) {
        return graph.outputs().stream().anyMatch(o -> o.id() == value.id())
                || graph.consumers(value).stream().anyMatch(n -> !nodes.contains(n.index()));
    }
}
