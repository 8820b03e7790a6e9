package org.nni4j.graph;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What diagrams say of a node. */
final class DiagramText {

    /* What one wants to see at a glance; the listing has the rest. */
    private static final Set<String> SHOWN =
            Set.of(
                    "kernel",
                    "stride",
                    "padding",
                    "dilation",
                    "groups",
                    "axis",
                    "axes",
                    "shape",
                    "index",
                    "other");

    private DiagramText() {}

    /** The operator, its parameters and its main attributes, on one line each. */
    static String of(Node node) {
        String attributes =
                node.attributes().entrySet().stream()
                        .filter(entry -> SHOWN.contains(entry.getKey()))
                        .map(entry -> entry.getKey() + " " + entry.getValue())
                        .collect(Collectors.joining(", "));
        List<String> lines =
                List.of(
                        node.op() + (node.inPlace() ? " (in place)" : ""),
                        node.parameters().stream()
                                .map(ParameterRead::name)
                                .collect(Collectors.joining(", ")),
                        attributes);
        return lines.stream().filter(line -> !line.isEmpty()).collect(Collectors.joining("\n"));
    }

    /** The vertex a value comes from; empty for parameters and constants, which are not drawn. */
    static Optional<String> source(Graph graph, Value value) {
        return value.kind() == Value.Kind.INPUT
                ? Optional.of(value.name())
                : graph.producer(value).map(Node::name);
    }
}
