package org.nni4j.layer;

import ai.djl.nn.Block;
import ai.djl.util.PairList;
import com.google.common.reflect.TypeToken;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes down which object holds which, by identity: written anew for the tests, so that it does
 * not share bugs.
 */
final class ObjectGraph {

    private final List<String> edges = new ArrayList<>();
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Fields fields = new Fields();

    static List<String> of(Block root) {
        ObjectGraph graph = new ObjectGraph();
        graph.walk(root);
        return graph.edges;
    }

    private void walk(@Nullable Object object) {
        if (object == null || !seen.add(object)) {
            return;
        }
        if (object instanceof Object[] array) {
            edges(object, List.of(array));
        } else if (object instanceof Collection<?> collection) {
            edges(object, collection);
        } else if (object instanceof Map<?, ?> map) {
            edges(object, map.values());
        } else if (object instanceof Optional<?> optional) {
            edges(object, optional.stream().toList());
        } else if (object instanceof Block
                || object instanceof PairList
                || object instanceof Networks.Holder) {
            for (Fields.Typed typed : fields.of(TypeToken.of(object.getClass()))) {
                Object value = Fields.read(typed.field(), object);
                edge(object, typed.field().getName(), value);
                walk(value);
            }
        }
    }

    private void edges(Object from, Collection<?> elements) {
        int i = 0;
        for (Object element : elements) {
            edge(from, "[" + i++ + "]", element);
            walk(element);
        }
    }

    private void edge(Object from, String name, @Nullable Object to) {
        edges.add(
                from.getClass().getName()
                        + "@"
                        + System.identityHashCode(from)
                        + "."
                        + name
                        + " = "
                        + System.identityHashCode(to));
    }
}
