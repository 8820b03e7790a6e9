package org.nni4j.graph;

import ai.djl.ndarray.types.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints a graph as one line per operator. */
final class GraphListing {

    private GraphListing() {}

    static String print(Graph graph, Map<String, String> marks) {
        List<String> lines = new ArrayList<>();
        graph.inputs().forEach(v -> lines.add(v + mark(marks, v.name())));
        for (Node node : graph.nodes()) {
            lines.add(line(node) + marks(marks, node));
        }
        lines.add("return " + names(graph.outputs()));
        graph.readbacks().forEach(r -> lines.add("not static: " + r));
        return String.join("\n", lines);
    }

    /**
     * {@code 01Conv2d.Conv1 (1, 8, 14, 14) = Conv(input0, weight=01Conv2d.weight, stride=(1, 1))}.
     */
    static String line(Node node) {
        List<String> arguments = new ArrayList<>();
        for (int i = 0; i < node.inputs().size(); i++) {
            String role = node.roles().get(i);
            String name = node.inputs().get(i).name();
            arguments.add(role.equals("input") || role.contains("[") ? name : role + "=" + name);
        }
        node.attributes().forEach((name, value) -> arguments.add(name + "=" + value));
        String call =
                node.op() + (node.inPlace() ? "!" : "") + "(" + String.join(", ", arguments) + ")";
        return outputs(node) + " = " + call;
    }

    private static String outputs(Node node) {
        return node.outputs().stream()
                .map(v -> v.name() + " " + v.shape() + type(v))
                .collect(Collectors.joining(", "));
    }

    private static String type(Value value) {
        boolean usual = value.dataType() == DataType.FLOAT32;
        return usual ? "" : " " + value.dataType().name().toLowerCase(Locale.ROOT);
    }

    private static String names(List<Value> values) {
        return values.stream().map(Value::name).collect(Collectors.joining(", "));
    }

    /* A node and its first output have the same name, so the mark is printed once. */
    private static String marks(Map<String, String> marks, Node node) {
        StringBuilder text = new StringBuilder(mark(marks, node.name()));
        node.outputs().stream().skip(1).forEach(v -> text.append(mark(marks, v.name())));
        return text.toString();
    }

    private static String mark(Map<String, String> marks, String name) {
        String mark = marks.get(name);
        return mark == null ? "" : "   <- " + mark;
    }
}
