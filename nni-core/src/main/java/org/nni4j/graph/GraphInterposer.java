package org.nni4j.graph;

import ai.djl.nn.Block;
import ai.djl.util.Pair;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

/**
 * Replaces inputs and outputs of traced operators while the network trains or predicts: a residual
 * add in a lambda, for instance, that has no layer of its own.
 *
 * <p>The layer an operator runs under gets a wrapper. Only that layer's own code computes with
 * stand-ins of arrays; each layer below gets the arrays themselves, and so do the functions. An
 * operator is known again by its kind and its position among those of its kind in one run of the
 * layer, whatever the batch size. A layer that runs twice in one pass has the same functions in
 * both runs.
 *
 * <p>One interposer serves any number of threads.
 */
public final class GraphInterposer {

    /** Which operator of a layer: the how manyth of its kind within a run, from 1. */
    record Site(String op, int occurrence) {}

    private final LayerTree tree;
    private final Map<Layer, Map<Site, Interposition>> sites = new LinkedHashMap<>();

    @SuppressWarnings("ThreadLocalUsage") // one for each network
    private final ThreadLocal<@Nullable InterposedRun> current = new ThreadLocal<>();

    /**
     * Makes an interposer that replaces nothing yet.
     *
     * @param tree of the traced network
     */
    public GraphInterposer(LayerTree tree) {
        this.tree = tree;
    }

    /**
     * Adds an operator. To be called before {@link #around}.
     *
     * @param node of a graph that was traced from the network
     * @param interposition what becomes of its tensors
     * @return this
     * @throws IllegalArgumentException if the network has no such layer, the node no such input or
     *     output, or if the operator has been added already, in this or another run of its layer
     */
    public GraphInterposer add(Node node, Interposition interposition) {
        checkPositions(node, "input", node.inputs().size(), interposition.inputs().keySet());
        checkPositions(node, "output", node.outputs().size(), interposition.outputs().keySet());
        Site site = new Site(node.op(), node.occurrence());
        Map<Site, Interposition> ofLayer =
                sites.computeIfAbsent(layerOf(node), l -> new HashMap<>());
        if (ofLayer.putIfAbsent(site, interposition) != null) {
            throw new IllegalArgumentException(
                    "node \""
                            + node.name()
                            + "\": the operator is interposed already; runs of one layer share it");
        }
        return this;
    }

    private static void checkPositions(Node node, String what, int count, Set<Integer> positions) {
        for (int position : positions) {
            if (position < 0 || position >= count) {
                throw new IllegalArgumentException(
                        "node \""
                                + node.name()
                                + "\" has no "
                                + what
                                + " "
                                + position
                                + "; it has "
                                + count);
            }
        }
    }

    private Layer layerOf(Node node) {
        if (node.layer().isEmpty()) {
            return tree.root();
        }
        return tree.find(node.layer())
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "node \""
                                                + node.name()
                                                + "\" ran under layer \""
                                                + node.layer()
                                                + "\", which is not in this network"));
    }

    /**
     * Combines the wrappers this interposer needs with others.
     *
     * @param others the wrappers of layers, by layer of the same tree; each must be a wrapper
     *     around what it is given
     * @return all of them, to be attached with {@link LayerTree#attach}; the given map unless an
     *     operator was added
     */
    public Map<Layer, Function<Block, Block>> around(Map<Layer, Function<Block, Block>> others) {
        Map<Layer, Function<Block, Block>> all = new LinkedHashMap<>(others);
        sites.forEach(
                (layer, ofLayer) -> {
                    Function<Block, Block> outer = all.getOrDefault(layer, Function.identity());
                    all.put(
                            layer,
                            block -> outer.apply(new InterposedLayer(block, ofLayer, current)));
                });
        for (Layer layer : layersBelow()) {
            Function<Block, Block> inner = all.getOrDefault(layer, Function.identity());
            all.put(layer, block -> new LayerBoundary(inner.apply(block), current));
        }
        return all;
    }

    /* Not only children: a layer may call its grandchildren itself. */
    private Set<Layer> layersBelow() {
        Set<Block> below = Collections.newSetFromMap(new IdentityHashMap<>());
        sites.keySet().forEach(layer -> addChildren(layer.block(), below));
        Set<Layer> layers = new LinkedHashSet<>();
        tree.layers().stream().filter(layer -> below.contains(layer.block())).forEach(layers::add);
        return layers;
    }

    private static void addChildren(Block block, Set<Block> below) {
        for (Pair<String, Block> child : block.getChildren()) {
            if (below.add(child.getValue())) {
                addChildren(child.getValue(), below);
            }
        }
    }
}
