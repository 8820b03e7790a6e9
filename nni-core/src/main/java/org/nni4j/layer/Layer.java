package org.nni4j.layer;

import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One block of a network, under the path it is addressed by.
 *
 * <p>Two layers are equal only if they are the same object: a layer belongs to the {@link
 * LayerTree} that listed it.
 */
public final class Layer {

    private final String path;
    private final String type;
    private final Block block;
    private final boolean container;
    private final List<String> aliases;

    Layer(String path, Block block, boolean container, List<String> aliases) {
        this.path = path;
        this.type = typeOf(block);
        this.block = block;
        this.container = container;
        this.aliases = aliases;
    }

    /**
     * Returns where the block is first met, for instance {@code
     * 05ParallelBlock.01SequentialBlock.01Conv2d}.
     *
     * @return the keys of the children lists from the root down, joined by dots; the type for a
     *     root that is a layer
     */
    public String path() {
        return path;
    }

    /**
     * Returns what kind of layer it is, for instance {@code Conv2d}.
     *
     * @return the simple class name, that of the nearest named superclass for an anonymous or local
     *     class, and a {@link LambdaBlock}'s own name where it was given one, for instance {@code
     *     ReLU}
     */
    public String type() {
        return type;
    }

    /**
     * Returns the block itself, never a wrapper that was put in its place.
     *
     * @return the user's object
     */
    public Block block() {
        return block;
    }

    /**
     * Returns the other paths of a block that is used more than once.
     *
     * @return empty for most layers
     */
    public List<String> aliases() {
        return aliases;
    }

    /**
     * Returns the parameters this block owns itself, without those of its children.
     *
     * @return by name, in the block's order; a parameter of a network that is not initialized has
     *     no array yet
     */
    public Map<String, Parameter> parameters() {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        for (Pair<String, Parameter> entry : block.getDirectParameters()) {
            parameters.put(entry.getKey(), entry.getValue());
        }
        return parameters;
    }

    /**
     * Returns the parameters of type {@link Parameter.Type#WEIGHT} this block owns itself.
     *
     * @return in the block's order; several for recurrent layers
     */
    public List<Parameter> weights() {
        return parameters().values().stream()
                .filter(parameter -> parameter.getType() == Parameter.Type.WEIGHT)
                .toList();
    }

    /**
     * Tells whether the block has children.
     *
     * @return false for a leaf
     */
    public boolean isContainer() {
        return container;
    }

    /**
     * Tells whether each parameter the block owns itself holds an array.
     *
     * @return true also for a block without parameters
     */
    public boolean isInitialized() {
        return parameters().values().stream().allMatch(Parameter::isInitialized);
    }

    /** {@code path (type)}. */
    @Override
    public String toString() {
        return path + " (" + type + ")";
    }

    static String typeOf(Block block) {
        if (block instanceof LambdaBlock lambda && isGiven(lambda.getName())) {
            return lambda.getName();
        }
        Class<?> named = block.getClass();
        while (named.isAnonymousClass() || named.isLocalClass() || named.isHidden()) {
            named = named.getSuperclass();
        }
        return named.getSimpleName();
    }

    /**
     * DJL names a lambda after its class, which is different in every run, if the user does not.
     */
    private static boolean isGiven(String name) {
        return !name.isEmpty()
                && !name.equals(LambdaBlock.DEFAULT_NAME)
                && !name.contains("$$Lambda");
    }
}
