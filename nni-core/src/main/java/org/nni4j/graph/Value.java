package org.nni4j.graph;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that flows between operators.
 *
 * @param id its number, unique within the graph, in the order of appearance
 * @param name unique within the graph and stable from trace to trace: {@code input0}, the
 *     parameter's path, {@code constant3}, or the name of the node that made it (with {@code :1},
 *     {@code :2}, … for further outputs)
 * @param kind where it comes from
 * @param shape its shape in the traced pass
 * @param dataType its element type
 * @param parameterRead the parameter it is; null unless the kind is {@link Kind#PARAMETER}
 * @param constantValue what it holds; null unless the kind is {@link Kind#CONSTANT}
 */
public record Value(
        int id,
        String name,
        Kind kind,
        Shape shape,
        DataType dataType,
        @Nullable ParameterRead parameterRead,
        @Nullable Constant constantValue) {

    /** Where a value comes from. */
    public enum Kind {
        /** An input of the network. */
        INPUT,
        /** A parameter of a layer. */
        PARAMETER,
        /**
         * Made in Java during the pass, or brought along by the network; the same for every input.
         */
        CONSTANT,
        /** The output of an operator. */
        COMPUTED
    }

    /**
     * Checks that kind and content agree.
     *
     * @throws IllegalArgumentException if a parameter names none, or a constant holds none
     */
    public Value {
        if ((kind == Kind.PARAMETER) != (parameterRead != null)
                || (kind == Kind.CONSTANT) != (constantValue != null)) {
            throw new IllegalArgumentException(
                    "value " + name + ": content does not go with kind " + kind);
        }
    }

    /**
     * Returns the parameter this value is.
     *
     * @return empty unless the kind is {@link Kind#PARAMETER}
     */
    public Optional<ParameterRead> parameter() {
        return Optional.ofNullable(parameterRead);
    }

    /**
     * Returns what this constant holds.
     *
     * @return empty unless the kind is {@link Kind#CONSTANT}
     */
    public Optional<Constant> constant() {
        return Optional.ofNullable(constantValue);
    }

    /** Returns the name, shape and type. */
    @Override
    public String toString() {
        return name + " " + shape + " " + dataType.name().toLowerCase(java.util.Locale.ROOT);
    }
}
