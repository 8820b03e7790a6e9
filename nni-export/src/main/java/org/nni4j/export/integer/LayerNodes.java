package org.nni4j.export.integer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nni4j.graph.Node;

/** Which operators ran in which layer; every operator is looked at once, when this is made. */
final class LayerNodes {

    private final Map<String, List<Node>> direct = new HashMap<>();
    private final Map<String, List<Node>> inside = new HashMap<>();
    private final Map<Functional, List<Node>> runs = new HashMap<>();

    /** An operator of a layer, in all runs of it. */
    private record Functional(String layer, String op, int occurrence) {
        static Functional of(Node node) {
            return new Functional(node.layer(), node.op(), node.occurrence());
        }
    }

    LayerNodes(List<Node> nodes) {
        for (Node node : nodes) {
            add(direct, node.layer(), node);
            add(runs, Functional.of(node), node);
            String layer = node.layer();
            add(inside, layer, node);
            for (int dot = layer.lastIndexOf('.');
                    dot >= 0;
                    dot = layer.lastIndexOf('.', dot - 1)) {
                add(inside, layer.substring(0, dot), node);
            }
        }
    }

    private static <K> void add(Map<K, List<Node>> lists, K key, Node node) {
        lists.computeIfAbsent(key, k -> new ArrayList<>()).add(node);
    }

    /** Those that ran directly under a layer, in execution order. */
    List<Node> direct(String layer) {
        return direct.getOrDefault(layer, List.of());
    }

    /** Those that ran under a layer or under one that it holds, in execution order. */
    List<Node> inside(String layer) {
        return inside.getOrDefault(layer, List.of());
    }

    /** The same operator in each run of the layer it stands in. */
    List<Node> runs(Node operator) {
        return runs.getOrDefault(Functional.of(operator), List.of());
    }
}
