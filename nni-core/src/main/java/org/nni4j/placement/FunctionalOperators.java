package org.nni4j.placement;

import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

/**
 * The operators of a traced network that no layer stands for: a residual add in a lambda or in a
 * user's {@code forwardInternal}. What DJL's own layers compute inside is not among them, nor is
 * what reads a parameter: there the layer is what one quantizes.
 */
final class FunctionalOperators {

    private static final String DJL = "ai.djl.nn.";

    private FunctionalOperators() {}

    static List<Node> of(LayerTree tree, Graph graph) {
        Set<String> seen = new HashSet<>();
        return graph.nodes().stream()
                .filter(node -> isFloating(node) && node.parameters().isEmpty())
                .filter(node -> !isInsideDjlLayer(tree, node))
                // Runs of one layer share their operators' quantizers, as they share everything
                // else.
                .filter(node -> seen.add(node.layer() + "." + node.op() + node.occurrence()))
                .toList();
    }

    private static boolean isFloating(Node node) {
        return node.outputs().stream().map(Value::dataType).anyMatch(t -> t.isFloating());
    }

    private static boolean isInsideDjlLayer(LayerTree tree, Node node) {
        if (node.layer().isEmpty()) {
            return false;
        }
        Layer layer = tree.find(node.layer()).orElse(null);
        if (layer == null || layer.isContainer()) {
            return false;
        }
        Block block = layer.block();
        return block.getClass().getName().startsWith(DJL) && !(block instanceof LambdaBlock);
    }
}
