package org.nni4j.algorithm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The algorithms on the class path, by name. */
public final class Algorithms {

    private Algorithms() {}

    /**
     * Finds an algorithm by its name.
     *
     * @param name for instance {@code "qat"}
     * @return the algorithm
     * @throws IllegalArgumentException if there is none of that name; the message lists those there
     *     are
     * @throws IllegalStateException if two classes claim the same name
     */
    public static QuantizationAlgorithm find(String name) {
        return find(name, all());
    }

    /**
     * Lists the names on the class path.
     *
     * @return sorted
     * @throws IllegalStateException if two classes claim the same name
     */
    public static List<String> available() {
        return List.copyOf(byName(all()).keySet());
    }

    static QuantizationAlgorithm find(
            String name, Iterable<? extends QuantizationAlgorithm> algorithms) {
        Map<String, QuantizationAlgorithm> known = byName(algorithms);
        QuantizationAlgorithm found = known.get(name);
        if (found == null) {
            throw new IllegalArgumentException(
                    "unknown algorithm \"" + name + "\"; available: " + known.keySet());
        }
        return found;
    }

    private static List<QuantizationAlgorithm> all() {
        List<QuantizationAlgorithm> found = new ArrayList<>();
        ServiceLoader.load(QuantizationAlgorithm.class).forEach(found::add);
        return found;
    }

    private static Map<String, QuantizationAlgorithm> byName(
            Iterable<? extends QuantizationAlgorithm> algorithms) {
        Map<String, QuantizationAlgorithm> byName = new TreeMap<>();
        for (QuantizationAlgorithm algorithm : algorithms) {
            QuantizationAlgorithm other = byName.putIfAbsent(algorithm.name(), algorithm);
            if (other != null) {
                throw new IllegalStateException(
                        "two algorithms are named \""
                                + algorithm.name()
                                + "\": "
                                + other.getClass().getName()
                                + " and "
                                + algorithm.getClass().getName());
            }
        }
        return byName;
    }
}
