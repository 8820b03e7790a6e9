package org.nni4j.layer;

import ai.djl.nn.Block;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.objenesis.Objenesis;

/**
 * What comes in a layer's place: the wrapper, and for slots that do not take one, an adapter in
 * front of it.
 */
final class Replacement {

    private final Layer layer;
    private boolean hasSlot;
    private @Nullable Class<?> adapterClass;
    private @Nullable Block wrapper;
    private @Nullable Block adapter;

    Replacement(Layer layer) {
        this.layer = layer;
    }

    Layer layer() {
        return layer;
    }

    /** Tells whether anything was found that holds the block. */
    boolean hasSlot() {
        return hasSlot;
    }

    /**
     * Returns what to put in a slot, there once {@link #wrap} was called.
     *
     * @throws IllegalStateException if the slot's type takes neither a wrapper nor an adapter
     */
    Supplier<Block> in(Class<?> slotType, String slot) {
        hasSlot = true;
        if (slotType.isAssignableFrom(LayerWrapper.class)) {
            return this::wrapper;
        }
        try {
            adapterClass = LayerAdapter.classFor(layer.block().getClass());
        } catch (IllegalStateException e) {
            throw refused(
                    slot,
                    "takes only a "
                            + slotType.getName()
                            + ", and "
                            + e.getMessage()
                            + "; declare it as "
                            + Block.class.getName()
                            + ", or leave the layer out",
                    e);
        }
        return this::adapter;
    }

    IllegalStateException refused(String slot, String reason, @Nullable Throwable cause) {
        return new IllegalStateException(
                "layer \"" + layer.path() + "\": " + slot + " " + reason, cause);
    }

    /** Makes the wrapper, and the adapter if a slot asked for one. */
    void wrap(Function<Block, Block> wrap, Objenesis instances) {
        Block block = layer.block();
        Block made = wrap.apply(block);
        if (!(made instanceof LayerWrapper) || LayerWalk.original(made) != block) {
            throw new IllegalArgumentException(
                    "layer \""
                            + layer.path()
                            + "\": expected a LayerWrapper around the block given, but got "
                            + (made == null ? "null" : made.getClass().getName()));
        }
        wrapper = made;
        if (adapterClass != null) {
            adapter = LayerAdapter.create(adapterClass, block, made, instances);
        }
    }

    /**
     * Gives the adapter the original's fields, to be called when those hold the wrappers of its
     * children.
     */
    void complete() {
        if (adapter != null) {
            LayerAdapter.copyFields(layer.block(), adapter);
        }
    }

    private Block wrapper() {
        return made(wrapper);
    }

    private Block adapter() {
        return made(adapter);
    }

    private static Block made(@Nullable Block block) {
        if (block == null) {
            throw new IllegalStateException("the wrapper is not made yet");
        }
        return block;
    }
}
