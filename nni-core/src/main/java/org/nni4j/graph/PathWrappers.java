package org.nni4j.graph;

import ai.djl.nn.Block;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.nni4j.layer.Attachment;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts the path wrappers of one trace into a network. */
final class PathWrappers {

    private static final Logger LOG = LoggerFactory.getLogger(PathWrappers.class);

    private PathWrappers() {}

    static Attachment attach(LayerTree tree, Block root, TraceRecorder recorder) {
        Map<Layer, Function<Block, Block>> wrappers = new LinkedHashMap<>();
        for (Layer layer : tree.layers()) {
            // Nothing holds a root, and the tracer calls it itself.
            if (layer.block() != root) {
                wrappers.put(layer, inner -> new PathWrapper(inner, layer, recorder));
            }
        }
        try {
            return tree.attach(wrappers);
        } catch (IllegalStateException e) {
            LOG.debug("not every layer can be wrapped", e);
            wrappers.entrySet().removeIf(entry -> !canBeWrapped(tree, entry));
            return tree.attach(wrappers);
        }
    }

    /* The operators of a layer whose slot cannot be taken are recorded under the nearest layer around it. */
    private static boolean canBeWrapped(
            LayerTree tree, Map.Entry<Layer, Function<Block, Block>> wrapper) {
        try {
            tree.attach(Map.of(wrapper.getKey(), wrapper.getValue())).detach();
            return true;
        } catch (IllegalStateException e) {
            LOG.warn("its operators are recorded under the layer around it: {}", e.getMessage());
            return false;
        }
    }
}
