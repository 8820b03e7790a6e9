package org.nni4j.graph;

import java.util.Map;

/** Writes a graph in Graphviz DOT. */
final class DotWriter {

    private final StringBuilder out = new StringBuilder(1024);
    private final Map<String, String> marks;

    private DotWriter(Map<String, String> marks) {
        this.marks = marks;
    }

    static String write(Graph graph, Map<String, String> marks) {
        return new DotWriter(marks).digraph(graph);
    }

    private String digraph(Graph graph) {
        out.append("digraph network {\n  node [shape=box, fontname=\"sans-serif\"];\n");
        graph.inputs().forEach(v -> vertex(v.name(), v.name() + "\\n" + v.shape(), "ellipse"));
        for (Node node : graph.nodes()) {
            vertex(
                    node.name(),
                    node.name() + "\\n" + DiagramText.of(node).replace("\n", "\\n"),
                    "box");
            for (Value input : node.inputs()) {
                DiagramText.source(graph, input).ifPresent(from -> edge(from, node.name(), input));
            }
        }
        for (int i = 0; i < graph.outputs().size(); i++) {
            Value value = graph.outputs().get(i);
            String name = "output" + i;
            vertex(name, name + "\\n" + value.shape(), "ellipse");
            DiagramText.source(graph, value).ifPresent(from -> edge(from, name, value));
        }
        return out.append("}\n").toString();
    }

    private void vertex(String name, String label, String shape) {
        String mark = marks.get(name);
        out.append("  ")
                .append(quote(name))
                .append(" [label=")
                .append(quote(mark == null ? label : label + "\\n" + mark));
        out.append(", shape=").append(shape);
        out.append(mark == null ? "" : ", style=filled, fillcolor=\"#ffe0a0\"").append("];\n");
    }

    private void edge(String from, String to, Value value) {
        out.append("  ").append(quote(from)).append(" -> ").append(quote(to));
        String mark = marks.get(value.name());
        out.append(" [label=")
                .append(
                        quote(
                                mark == null
                                        ? value.shape().toString()
                                        : value.shape() + "\\n" + mark));
        out.append(mark == null ? "" : ", color=\"#c06000\"").append("];\n");
    }

    /* \n is DOT's line break and stays. */
    private static String quote(String text) {
        return "\"" + text.replace("\"", "\\\"") + "\"";
    }
}
