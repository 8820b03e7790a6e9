package org.nni4j.layer;

import ai.djl.Model;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.util.Pair;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The layers of a network by path, and the way to put a wrapper in a layer's place. */
public final class LayerTree {

    private final Block root;
    private final @Nullable Model model;
    private final Map<Block, Layer> byBlock = new IdentityHashMap<>();
    private final Map<String, Layer> byPath = new LinkedHashMap<>();
    private final List<Layer> layers = new ArrayList<>();

    private LayerTree(Block root, @Nullable Model model) {
        this.root = original(root);
        this.model = model;
        BlockList children = this.root.getChildren();
        if (children.isEmpty()) {
            Layer leaf = new Layer("", this.root, false, new ArrayList<>());
            add(new Layer(leaf.type(), this.root, false, new ArrayList<>()));
        } else {
            walk("", children);
        }
    }

    /**
     * Lists the layers of a model.
     *
     * @param model a model whose block is set; it need not be initialized
     * @return the tree; its root can be wrapped too if it is a single layer
     */
    public static LayerTree of(Model model) {
        return new LayerTree(model.getBlock(), model);
    }

    /**
     * Lists the layers of a block.
     *
     * @param block the root
     * @return the tree; a root that is a single layer cannot be wrapped, since nothing holds it
     */
    public static LayerTree of(Block block) {
        return new LayerTree(block, null);
    }

    /**
     * Returns the layers depth-first, containers before their children and without a root that is a
     * container.
     *
     * @return each block object once, under its first path
     */
    public List<Layer> layers() {
        return List.copyOf(layers);
    }

    /**
     * Finds a layer by its path or one of its aliases.
     *
     * @param path for instance {@code 01Conv2d}
     * @return empty if there is none
     */
    public Optional<Layer> find(String path) {
        return Optional.ofNullable(byPath.get(path));
    }

    /**
     * Puts a wrapper in all slots of each given layer, or changes nothing.
     *
     * @param wrappers what to make of the layer's block, by layer of this tree
     * @return what takes the wrappers out again
     * @throws IllegalStateException if a slot cannot be taken, naming the class and the field
     */
    public Attachment attach(Map<Layer, Function<Block, Block>> wrappers) {
        Map<Block, Block> replacements = new IdentityHashMap<>();
        wrappers.forEach(
                (layer, wrap) -> replacements.put(layer.block(), wrap.apply(layer.block())));
        List<Write> writes = new ArrayList<>();
        Model holder = model;
        if (holder != null && replacements.containsKey(root)) {
            writes.add(new RootWrite(holder, root, replacements.get(root)));
        }
        List<Block> containers = new ArrayList<>(byBlock.keySet());
        containers.add(root);
        for (Block container : containers) {
            if (container instanceof AbstractBlock) {
                List<Block> slots = children(container).values();
                for (int i = 0; i < slots.size(); i++) {
                    Block replacement = replacements.get(slots.get(i));
                    if (replacement != null) {
                        writes.add(new ListWrite(slots, i, slots.get(i), replacement));
                    }
                }
            }
        }
        return Attachment.of(writes);
    }

    private void walk(String prefix, BlockList children) {
        for (Pair<String, Block> child : children) {
            Block block = original(child.getValue());
            String path = prefix + child.getKey();
            Layer known = byBlock.get(block);
            if (known != null) {
                known.aliases().add(path);
                byPath.put(path, known);
            } else if (block != root) {
                BlockList grandchildren = block.getChildren();
                add(new Layer(path, block, !grandchildren.isEmpty(), new ArrayList<>()));
                walk(path + ".", grandchildren);
            }
        }
    }

    private void add(Layer layer) {
        layers.add(layer);
        byBlock.put(layer.block(), layer);
        byPath.put(layer.path(), layer);
    }

    private static Block original(Block block) {
        Block original = block;
        while (original instanceof LayerWrapper wrapper) {
            original = wrapper.inner();
        }
        return original;
    }

    private static BlockList children(Block container) {
        try {
            Field field = AbstractBlock.class.getDeclaredField("children");
            field.setAccessible(true);
            return (BlockList) field.get(container);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private record ListWrite(List<Block> list, int index, Block before, Block after)
            implements Write {
        @Override
        public void apply() {
            list.set(index, after);
        }

        @Override
        public void revert() {
            if (list.get(index) == after) {
                list.set(index, before);
            }
        }
    }

    private record RootWrite(Model model, Block before, Block after) implements Write {
        @Override
        public void apply() {
            model.setBlock(after);
        }

        @Override
        public void revert() {
            if (model.getBlock() == after) {
                model.setBlock(before);
            }
        }
    }
}
