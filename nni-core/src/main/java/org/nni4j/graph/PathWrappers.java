package org.nni4j.graph;

import ai.djl.nn.Block;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.nni4j.layer.Attachment;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The path wrappers of one trace. */
final class AttachedWrappers {

    private static final Logger LOG = LoggerFactory.getLogger(AttachedWrappers.class);

    private final List<Attachment> attachments = new ArrayList<>();

    private AttachedWrappers() {}

    static AttachedWrappers of(LayerTree tree, Block root, TraceRecorder recorder) {
        Map<Layer, Function<Block, Block>> wrappers = new LinkedHashMap<>();
        for (Layer layer : tree.layers()) {
            // Nothing holds a root, and the tracer calls it itself.
            if (layer.block() != root) {
                wrappers.put(layer, inner -> new PathWrapper(inner, layer, recorder));
            }
        }
        AttachedWrappers attached = new AttachedWrappers();
        try {
            attached.attachments.add(tree.attach(wrappers));
        } catch (IllegalStateException e) {
            LOG.debug("not every layer can be wrapped: {}", e.getMessage());
            attached.attachOneByOne(tree, wrappers);
        }
        return attached;
    }

    /* The operators of a layer whose slot cannot be taken are recorded under the nearest layer around it. */
    private void attachOneByOne(LayerTree tree, Map<Layer, Function<Block, Block>> wrappers) {
        wrappers.forEach(
                (layer, wrapper) -> {
                    try {
                        attachments.add(tree.attach(Map.of(layer, wrapper)));
                    } catch (IllegalStateException e) {
                        LOG.warn(
                                "operators of layer \"{}\" are recorded under its parent: {}",
                                layer.path(),
                                e.getMessage());
                    }
                });
    }

    void detach() {
        for (int i = attachments.size() - 1; i >= 0; i--) {
            attachments.get(i).detach();
        }
    }
}
