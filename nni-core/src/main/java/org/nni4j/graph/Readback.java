package org.nni4j.graph;

/**
 * Something the graph cannot promise to hold for other inputs, or could not follow.
 *
 * @param kind what happened
 * @param value the tensor it happened to
 * @param method the Java method, for instance {@code toFloatArray}
 * @param layer the dotted path of the layer that did it; empty for the root block itself
 * @param position the index of the next node at that moment
 */
public record Readback(Kind kind, Value value, String method, String layer, int position) {

    /** What kept the pass from being static. */
    public enum Kind {
        /** The elements were read into Java; what was computed from them there is unknown. */
        READ,
        /** The shape of the value depends on the elements of its inputs. */
        DATA_DEPENDENT_SHAPE,
        /** The value holds random numbers. */
        RANDOM,
        /**
         * The array was overwritten through another view of it, so the graph's value is out of
         * date.
         */
        OVERWRITTEN_VIEW,
        /** The array was handed to native code or to an array the tracer does not see. */
        ESCAPED
    }

    /** Returns one line: what, where, to which value. */
    @Override
    public String toString() {
        String what =
                switch (kind) {
                    case READ -> "read into Java by " + method;
                    case DATA_DEPENDENT_SHAPE -> "shape depends on data, from " + method;
                    case RANDOM -> "random numbers from " + method;
                    case OVERWRITTEN_VIEW ->
                            "overwritten through another view, then used by " + method;
                    case ESCAPED -> "left the tracer's sight by " + method;
                };
        return value.name() + ": " + what + (layer.isEmpty() ? "" : " in layer \"" + layer + "\"");
    }
}
