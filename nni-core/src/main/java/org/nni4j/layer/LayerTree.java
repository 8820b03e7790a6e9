package org.nni4j.layer;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.objenesis.Objenesis;
import org.objenesis.ObjenesisStd;

/**
 * The layers of a network by path, and the way to put a wrapper in a layer's place.
 *
 * <p>The network need not be initialized. Wrappers that stand in it already are seen through:
 * layers, paths and types are those of the user's blocks.
 */
public final class LayerTree {

    private final Block root;
    private final @Nullable Model model;
    private final LayerWalk walk;

    private LayerTree(@Nullable Block root, @Nullable Model model) {
        if (root == null) {
            throw new IllegalArgumentException(
                    "the model has no block; call setBlock or load it first");
        }
        this.root = LayerWalk.original(root);
        this.model = model;
        this.walk = new LayerWalk(root);
    }

    /**
     * Lists the layers of a model.
     *
     * @param model a model whose block is set
     * @return the tree; its root can be wrapped too if it is a single layer
     * @throws IllegalArgumentException if the model has no block
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
        return walk.layers();
    }

    /**
     * Returns the network itself as a layer, to be wrapped like any other if the tree was made from
     * a model.
     *
     * @return the listed layer if the network is a single one, else one with an empty path that is
     *     not among {@link #layers()}
     */
    public Layer root() {
        return walk.rootLayer();
    }

    /**
     * Finds a layer by its path or one of its aliases.
     *
     * @param path for instance {@code 05ParallelBlock.01SequentialBlock.01Conv2d}
     * @return empty if there is none
     */
    public Optional<Layer> find(String path) {
        return walk.find(path);
    }

    /**
     * Tells whether wrappers stood in the network when the layers were listed.
     *
     * @return true for a network that is quantized already
     */
    public boolean isAttached() {
        return walk.isAttached();
    }

    /**
     * Puts a wrapper in all slots of each given layer: children lists, fields of any type, lists,
     * maps and arrays, and the model itself. Changes all slots, or nothing at all.
     *
     * <p>Fields typed as a concrete class, such as {@code Linear}, receive an object of a generated
     * subclass that passes every forward on to the wrapper. Slots are looked for in blocks, in
     * collections, records and lambdas, and in objects of the same namespace (first two names of
     * the package) as the block that holds them; not in static fields.
     *
     * @param wrappers by layer of this tree, what makes a {@link LayerWrapper} of the layer's block
     * @return what takes the wrappers out again
     * @throws IllegalArgumentException if a layer is not of this tree, or a function returns
     *     anything but a {@link LayerWrapper} around the block it was given, directly or through
     *     other wrappers
     * @throws IllegalStateException if the network holds wrappers already, or a slot cannot be
     *     taken: the message names the class and the field
     */
    public Attachment attach(Map<Layer, Function<Block, Block>> wrappers) {
        IdentityHashMap<Block, Replacement> replacements = new IdentityHashMap<>();
        for (Layer layer : wrappers.keySet()) {
            if (!walk.contains(layer)) {
                throw new IllegalArgumentException(
                        "layer \"" + layer.path() + "\" is not of this network");
            }
            replacements.put(layer.block(), new Replacement(layer));
        }
        List<Write> writes = plan(replacements);
        Objenesis instances = new ObjenesisStd();
        wrappers.forEach((layer, wrap) -> replacement(replacements, layer).wrap(wrap, instances));
        Attachment attachment = Attachment.of(writes);
        try {
            replacements.values().forEach(Replacement::complete);
            checkChildren(replacements);
        } catch (RuntimeException | Error e) {
            attachment.detachAfter(e);
            throw e;
        }
        return attachment;
    }

    private List<Write> plan(IdentityHashMap<Block, Replacement> replacements) {
        Model holder = model;
        if (holder != null && holder.getBlock() != root) {
            throw new IllegalStateException(
                    "the model has another block by now, or is already quantized; restore it"
                            + " first");
        }
        List<Write> writes = new ArrayList<>(new SlotSearch(replacements).from(root));
        Replacement rootReplacement = replacements.get(root);
        if (holder != null && rootReplacement != null) {
            writes.add(
                    new Write.ToModel(holder, root, rootReplacement.in(Block.class, "the model")));
        }
        for (Replacement replacement : replacements.values()) {
            if (!replacement.hasSlot()) {
                throw replacement.refused(
                        "nothing",
                        "holds the block that could be written to" + held(replacement),
                        null);
            }
        }
        return writes;
    }

    private String held(Replacement replacement) {
        return replacement.layer().block() == root
                ? "; give the model instead of its block"
                : "; "
                        + walk.parent(replacement.layer()).getClass().getName()
                        + " must keep its children in a field, list, map or array";
    }

    /**
     * A block that makes its children up, or keeps them where no search finds them, still shows the
     * plain ones.
     */
    private void checkChildren(IdentityHashMap<Block, Replacement> replacements) {
        for (Block container : walk.containers()) {
            for (Pair<String, Block> child : container.getChildren()) {
                Replacement missed = replacements.get(child.getValue());
                if (missed != null) {
                    throw missed.refused(
                            "getChildren() of " + container.getClass().getName(),
                            "still returns the plain block as \""
                                    + child.getKey()
                                    + "\"; keep it in a field, list, map or array",
                            null);
                }
            }
        }
    }

    private static Replacement replacement(
            IdentityHashMap<Block, Replacement> replacements, Layer layer) {
        Replacement replacement = replacements.get(layer.block());
        if (replacement == null) {
            throw new IllegalStateException("no replacement for " + layer);
        }
        return replacement;
    }
}
