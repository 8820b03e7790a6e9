package org.nni4j.graph;

import java.util.HashMap;
import java.util.Map;

/** Writes a graph as a Mermaid flowchart. */
final class MermaidWriter {

    private final StringBuilder out = new StringBuilder("flowchart TD\n");
    private final Map<String, String> marks;
    private final Map<String, String> ids = new HashMap<>();

    private MermaidWriter(Map<String, String> marks) {
        this.marks = marks;
    }

    static String write(Graph graph, Map<String, String> marks) {
        return new MermaidWriter(marks).flowchart(graph);
    }

    private String flowchart(Graph graph) {
        graph.inputs().forEach(v -> vertex(v.name(), v.name() + "\n" + v.shape(), "([", "])"));
        for (Node node : graph.nodes()) {
            vertex(node.name(), node.name() + "\n" + DiagramText.of(node), "[", "]");
            for (Value input : node.inputs()) {
                DiagramText.source(graph, input).ifPresent(from -> edge(from, node.name(), input));
            }
        }
        for (int i = 0; i < graph.outputs().size(); i++) {
            Value value = graph.outputs().get(i);
            String name = "output" + i;
            vertex(name, name + "\n" + value.shape(), "([", "])");
            DiagramText.source(graph, value).ifPresent(from -> edge(from, name, value));
        }
        return out.append("  classDef quantized fill:#ffe0a0,stroke:#c06000\n").toString();
    }

    private void vertex(String name, String label, String open, String close) {
        String mark = marks.get(name);
        out.append("  ").append(id(name)).append(open);
        out.append(quote(mark == null ? label : label + "\n" + mark)).append(close);
        out.append(mark == null ? "" : ":::quantized").append('\n');
    }

    private void edge(String from, String to, Value value) {
        String mark = marks.get(value.name());
        String label = mark == null ? value.shape().toString() : value.shape() + "\n" + mark;
        out.append("  ").append(id(from)).append(" -->|").append(quote(label)).append("| ");
        out.append(id(to)).append('\n');
    }

    /* Mermaid's identifiers are letters and digits only. */
    private String id(String name) {
        return ids.computeIfAbsent(name, n -> "n" + ids.size());
    }

    private static String quote(String text) {
        return "\"" + text.replace("\"", "#quot;").replace("\n", "<br/>") + "\"";
    }
}
