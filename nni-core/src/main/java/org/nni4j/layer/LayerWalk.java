package org.nni4j.layer;

import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One walk over the children lists of a network, depth-first. */
final class LayerWalk {

    /**
     * Children of a container in several places have several paths each; nested, their number
     * doubles with every level. Beyond this many, a container's further places are known but its
     * children's are not.
     */
    private static final int MAX_REPEATED_VISITS = 10_000;

    private final Block root;
    private final Layer rootLayer;
    private final List<Layer> layers = new ArrayList<>();
    private final Map<String, Layer> byPath = new HashMap<>();
    private final IdentityHashMap<Block, Found> byBlock = new IdentityHashMap<>();
    private final Set<Block> ancestors = Collections.newSetFromMap(new IdentityHashMap<>());
    private int repeatedVisits;
    private boolean attached;

    private record Found(Layer layer, Block parent, List<String> aliases) {}

    LayerWalk(Block root) {
        this.root = see(root);
        BlockList children = this.root.getChildren();
        if (children.isEmpty()) {
            rootLayer = add(Layer.typeOf(this.root), this.root, this.root, false);
        } else {
            rootLayer = new Layer("", this.root, true, List.of());
            byBlock.put(this.root, new Found(rootLayer, this.root, new ArrayList<>()));
            walk(this.root, "", children);
        }
    }

    /** The user's block behind any wrappers. */
    static Block original(Block block) {
        Block original = block;
        while (true) {
            if (original instanceof LayerWrapper wrapper) {
                original = wrapper.inner();
            } else if (LayerAdapter.isAdapter(original)) {
                original = LayerAdapter.original(original);
            } else {
                return original;
            }
        }
    }

    /** The root as a layer; listed only if it has no children. */
    Layer rootLayer() {
        return rootLayer;
    }

    List<Layer> layers() {
        return Collections.unmodifiableList(layers);
    }

    Optional<Layer> find(String path) {
        return Optional.ofNullable(byPath.get(path));
    }

    boolean contains(Layer layer) {
        Found found = byBlock.get(layer.block());
        return found != null && found.layer() == layer;
    }

    boolean isAttached() {
        return attached;
    }

    /** The block under which a layer was met first; the layer's own for the root. */
    Block parent(Layer layer) {
        Found found = byBlock.get(layer.block());
        return found == null ? root : found.parent();
    }

    /** All blocks that have children, the root among them. */
    List<Block> containers() {
        List<Block> containers = new ArrayList<>();
        containers.add(root);
        layers.stream().filter(Layer::isContainer).map(Layer::block).forEach(containers::add);
        return containers;
    }

    private void walk(Block parent, String prefix, BlockList children) {
        ancestors.add(parent);
        for (Pair<String, Block> child : children) {
            visit(parent, prefix + child.getKey(), see(child.getValue()));
        }
        ancestors.remove(parent);
    }

    private void visit(Block parent, String givenPath, Block block) {
        if (block == root) {
            return; // a cycle: the root is no layer
        }
        Found known = byBlock.get(block);
        String path = free(givenPath);
        if (known == null) {
            BlockList children = block.getChildren();
            add(path, block, parent, !children.isEmpty());
            walk(block, path + ".", children);
            return;
        }
        known.aliases().add(path);
        byPath.put(path, known.layer());
        if (!ancestors.contains(block) && repeatedVisits < MAX_REPEATED_VISITS) {
            repeatedVisits++;
            walk(block, path + ".", block.getChildren());
        }
    }

    /** The path, or for a second child under the same key one with a number. */
    private String free(String path) {
        String free = path;
        for (int i = 2; byPath.containsKey(free); i++) {
            free = path + "#" + i;
        }
        return free;
    }

    private Layer add(String path, Block block, Block parent, boolean container) {
        List<String> aliases = new ArrayList<>();
        Layer layer = new Layer(path, block, container, Collections.unmodifiableList(aliases));
        layers.add(layer);
        byPath.put(path, layer);
        byBlock.put(block, new Found(layer, parent, aliases));
        return layer;
    }

    private Block see(Block block) {
        Block original = original(block);
        attached |= original != block;
        return original;
    }
}
