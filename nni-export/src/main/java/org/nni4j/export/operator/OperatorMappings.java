package org.nni4j.export.operator;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The table of all mappings, by the operator's name in the trace. */
public final class OperatorMappings {

    private static final Map<String, OperatorMapping> TABLE = new HashMap<>();

    static {
        Convolutions.addTo(TABLE);
        Products.addTo(TABLE);
        Normalizations.addTo(TABLE);
        Poolings.addTo(TABLE);
        Activations.addTo(TABLE);
        Elementwise.addTo(TABLE);
        Comparisons.addTo(TABLE);
        Reductions.addTo(TABLE);
        Layouts.addTo(TABLE);
        Joins.addTo(TABLE);
        Selections.addTo(TABLE);
        Orderings.addTo(TABLE);
        Recurrences.addTo(TABLE);
        Images.addTo(TABLE);
    }

    private OperatorMappings() {}

    /**
     * Finds the mapping of an operator.
     *
     * @param op the operator's name in the trace, for instance {@code Conv}
     * @return empty if there is none
     */
    public static Optional<OperatorMapping> find(String op) {
        return Optional.ofNullable(TABLE.get(op));
    }

    /**
     * Lists the operators that can be written.
     *
     * @return names in the trace, sorted
     */
    public static Set<String> operators() {
        return new TreeSet<>(TABLE.keySet());
    }
}
