package org.nni4j.export;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nni4j.export.integer.FloatReasons;
import org.nni4j.export.integer.FloatReasons.FloatLayer;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/** Says why an operator of a dynamically quantized ONNX model runs in float. */
final class DynamicFloatReasons {

    /** What ONNX Runtime has dynamic integer kernels for, as far as they are written. */
    private static final Set<String> WITH_KERNEL = Set.of("Linear", "Lstm");

    private final Graph graph;
    private final Map<String, PlannedLayer> layers;

    DynamicFloatReasons(Graph graph, QuantizationPlan plan) {
        this.graph = graph;
        layers =
                plan.layers().stream()
                        .collect(Collectors.toMap(PlannedLayer::path, Function.identity()));
    }

    /** One entry for each traced operator that runs in float. */
    List<FloatLayer> explain(OperatorCensus census) {
        return FloatReasons.explain(
                census, name -> FloatReasons.tracedOperator(graph, name), this::reason);
    }

    private String reason(Node node) {
        if (!WITH_KERNEL.contains(node.op())) {
            return "the runtime has no dynamic integer kernel for " + node.op();
        }
        PlannedLayer layer = layers.get(node.layer());
        if (layer == null) {
            return "it is no layer that a config list could name";
        }
        return layer.isQuantized()
                ? "its products are integers, and become floats here"
                : layer.reason();
    }
}
