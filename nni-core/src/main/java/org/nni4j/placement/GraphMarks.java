package org.nni4j.placement;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;

/** Writes a plan's quantization points and folds beside the operators of a traced network. */
final class GraphMarks {

    private final QuantizationPlan plan;
    private final Map<String, String> marks = new LinkedHashMap<>();

    private GraphMarks(QuantizationPlan plan) {
        this.plan = plan;
    }

    static Map<String, String> of(QuantizationPlan plan, Graph graph) {
        GraphMarks marks = new GraphMarks(plan);
        marks.points(graph);
        plan.folds().forEach(fold -> marks.fold(fold, graph));
        return marks.marks;
    }

    /** A layer's mark stands at its first operator: that one reads the layer's input. */
    private void points(Graph graph) {
        for (PlannedLayer layer : plan.quantizedLayers()) {
            String text =
                    layer.points().stream().map(GraphMarks::text).collect(Collectors.joining(", "));
            if (layer.operator()) {
                graph.find(layer.path()).ifPresent(node -> add(node, text));
            } else {
                graph.nodesOf(layer.path()).stream().findFirst().ifPresent(node -> add(node, text));
            }
        }
    }

    private static String text(QuantizationPoint point) {
        return point.quantType().key() + " " + point.type();
    }

    private void fold(PlannedFold fold, Graph graph) {
        graph.nodesOf(fold.batchNorm()).forEach(node -> add(node, "folded into " + fold.layer()));
    }

    private void add(Node node, String text) {
        marks.merge(node.name(), text, (before, more) -> before + ", " + more);
    }
}
