package org.nni4j.graph;

import ai.djl.ndarray.types.DataType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Prints a graph as one line per operator. */
final class GraphListing {

    private static final int SHOWN_ELEMENTS = 8;

    private GraphListing() {}

    static String print(Graph graph, Map<String, String> marks) {
        List<String> lines = new ArrayList<>();
        graph.inputs().forEach(v -> lines.add(v + mark(marks, v.name())));
        for (Value value : graph.values()) {
            value.constant().ifPresent(c -> lines.add(value + " = " + content(value, c)));
        }
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

    /** {@code create [0.5, 1.0]}, or how a large constant was made. */
    private static String content(Value value, Constant constant) {
        boolean few = value.shape().size() <= SHOWN_ELEMENTS;
        Optional<String> elements =
                few
                        ? constant.buffer().flatMap(b -> elements(b, value.dataType()))
                        : Optional.empty();
        return constant.method() + " " + elements.orElseGet(() -> constant.attributes().toString());
    }

    private static Optional<String> elements(ByteBuffer buffer, DataType type) {
        List<Number> elements = new ArrayList<>();
        while (buffer.hasRemaining()) {
            switch (type) {
                case FLOAT32 -> elements.add(buffer.getFloat());
                case FLOAT64 -> elements.add(buffer.getDouble());
                case INT32 -> elements.add(buffer.getInt());
                case INT64 -> elements.add(buffer.getLong());
                case BOOLEAN, INT8 -> elements.add(buffer.get());
                default -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.of(elements.toString());
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
