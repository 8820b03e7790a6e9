package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.index.dim.NDIndexBooleans;
import ai.djl.ndarray.index.dim.NDIndexElement;
import ai.djl.ndarray.index.dim.NDIndexPick;
import ai.djl.ndarray.index.dim.NDIndexTake;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Finds the arrays among a call's arguments, wherever they hide, and replaces them. */
final class Operands {

    /** Gives the array that is passed on for one that the network passed. */
    interface Mapper {
        NDArray map(String role, NDArray array);
    }

    private final Mapper mapper;

    private Operands(Mapper mapper) {
        this.mapper = mapper;
    }

    /** Replaces stand-ins by what they stand for. */
    static @Nullable Object[] unwrap(@Nullable Object[] arguments) {
        return new Operands((role, array) -> real(array)).all(arguments, i -> "");
    }

    /** Maps every array among the arguments of an operator. */
    static @Nullable Object[] map(Operator operator, @Nullable Object[] arguments, Mapper mapper) {
        return new Operands(mapper).all(arguments, i -> role(operator, i, arguments[i]));
    }

    static NDArray real(NDArray array) {
        return Proxies.handlerOf(array) instanceof ArrayHandler handler ? handler.target() : array;
    }

    private static String role(Operator operator, int position, @Nullable Object argument) {
        List<String> names = operator.arguments();
        String name = position < names.size() ? names.get(position) : "arg" + position;
        return name.equals("arrays") && argument instanceof NDArray ? "arrays[1]" : name;
    }

    private @Nullable Object[] all(@Nullable Object[] arguments, Function<Integer, String> roles) {
        @Nullable Object[] mapped = new Object[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            mapped[i] = map(roles.apply(i), arguments[i]);
        }
        return mapped;
    }

    private @Nullable Object map(String role, @Nullable Object argument) {
        if (argument instanceof NDArray array) {
            return mapper.map(role, array);
        }
        if (argument instanceof NDList list) {
            return mapList(role, list);
        }
        if (argument instanceof NDArray[] arrays) {
            return mapList(role, new NDList(arrays)).toArray(NDArray[]::new);
        }
        if (argument instanceof NDIndex index) {
            mapIndex(role, index);
            return index;
        }
        if (argument instanceof Object[] array && array.getClass() == Object[].class) {
            return all(array, i -> role + "[" + i + "]");
        }
        return argument instanceof ai.djl.ndarray.NDResource || Proxies.handlerOf(argument) != null
                ? target(argument)
                : mapCollection(role, argument);
    }

    private static @Nullable Object target(@Nullable Object argument) {
        ProxyHandler handler = Proxies.handlerOf(argument);
        return handler == null ? argument : handler.target();
    }

    /* The roles of concat and stack go on from the array they are called on, which is arrays[0]. */
    private NDList mapList(String role, NDList list) {
        int first = role.equals("arrays") ? 1 : 0;
        NDList mapped = new NDList(list.size());
        for (int i = 0; i < list.size(); i++) {
            mapped.add(mapper.map(role + "[" + (first + i) + "]", list.get(i)));
        }
        return mapped;
    }

    private void mapIndex(String role, NDIndex index) {
        ListIterator<NDIndexElement> elements = index.getIndices().listIterator();
        while (elements.hasNext()) {
            String at = role + "[" + elements.nextIndex() + "]";
            NDIndexElement element = elements.next();
            if (element instanceof NDIndexTake take) {
                elements.set(new NDIndexTake(mapper.map(at, take.getIndex())));
            } else if (element instanceof NDIndexPick pick) {
                elements.set(new NDIndexPick(mapper.map(at, pick.getIndex())));
            } else if (element instanceof NDIndexBooleans booleans) {
                elements.set(new NDIndexBooleans(mapper.map(at, booleans.getIndex())));
            }
        }
    }

    private @Nullable Object mapCollection(String role, @Nullable Object argument) {
        if (argument instanceof PairList<?, ?> pairs) {
            PairList<Object, Object> mapped = new PairList<>(pairs.size());
            for (Pair<?, ?> pair : pairs) {
                mapped.add(pair.getKey(), map(role + "." + pair.getKey(), pair.getValue()));
            }
            return mapped;
        }
        if (argument instanceof Map<?, ?> map) {
            Map<Object, @Nullable Object> mapped = new LinkedHashMap<>();
            map.forEach((key, value) -> mapped.put(key, map(role + "." + key, value)));
            return mapped;
        }
        if (argument instanceof List<?> list && list.stream().anyMatch(NDArray.class::isInstance)) {
            List<@Nullable Object> mapped = new ArrayList<>();
            list.forEach(element -> mapped.add(map(role + "[" + mapped.size() + "]", element)));
            return Collections.unmodifiableList(mapped);
        }
        return argument;
    }
}
