package org.nni4j.layer;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Stands in for collections that cannot be written to, such as {@code List.of(…)}: copies with
 * other elements.
 */
final class Copies {

    private static final List<Function<List<Object>, Object>> LISTS =
            List.of(Collections::unmodifiableList, ImmutableList::copyOf, ArrayList::new);

    private static final List<Function<List<Object>, Object>> SETS =
            List.of(
                    elements -> Collections.unmodifiableSet(new LinkedHashSet<>(elements)),
                    ImmutableSet::copyOf,
                    LinkedHashSet::new);

    private static final List<Function<Map<Object, Object>, Object>> MAPS =
            List.of(Collections::unmodifiableMap, ImmutableMap::copyOf, LinkedHashMap::new);

    private Copies() {}

    /** Tells whether elements can be exchanged in place. Changes nothing. */
    static boolean isWritable(Collection<Object> collection) {
        try {
            if (collection instanceof List<Object> list) {
                list.set(0, list.get(0));
            } else {
                collection.addAll(List.of());
            }
            return true;
        } catch (UnsupportedOperationException e) {
            return false;
        }
    }

    /** Tells whether values can be exchanged in place. Changes nothing. */
    static boolean isWritable(Map<Object, Object> map) {
        try {
            map.putAll(Map.of());
            return true;
        } catch (UnsupportedOperationException e) {
            return false;
        }
    }

    /**
     * Returns how to make a copy that fits into a slot of this type, from the elements in order.
     */
    static Optional<Function<List<Object>, Object>> of(
            Collection<Object> collection, Class<?> slotType) {
        List<Function<List<Object>, Object>> makers = collection instanceof Set ? SETS : LISTS;
        return firstFitting(makers, new ArrayList<>(collection), slotType);
    }

    /** Returns how to make a copy that fits into a slot of this type, from the entries in order. */
    static Optional<Function<Map<Object, Object>, Object>> of(
            Map<Object, Object> map, Class<?> slotType) {
        return firstFitting(MAPS, new LinkedHashMap<>(map), slotType);
    }

    private static <T> Optional<Function<T, Object>> firstFitting(
            List<Function<T, Object>> makers, T content, Class<?> slotType) {
        return makers.stream()
                .filter(maker -> slotType.isInstance(maker.apply(content)))
                .findFirst();
    }
}
