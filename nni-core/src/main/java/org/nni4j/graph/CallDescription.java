package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDResource;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.lang.reflect.Array;
import java.nio.Buffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The operator name and the attributes of one call, normalized so that overloads look alike.
 *
 * @param op the canonical name
 * @param attributes by name; no arrays among them
 */
record CallDescription(String op, Map<String, Object> attributes) {

    /**
     * Describes a call.
     *
     * @param operator what is called
     * @param shape the shape of the array it is called on
     * @param arguments real arrays or stand-ins
     */
    static CallDescription of(Operator operator, Shape shape, @Nullable Object[] arguments) {
        NDIndex index = index(operator, arguments);
        if (index != null) {
            CallDescription slice = IndexDescription.of(index, shape);
            boolean reading = operator.kind() == Operator.Kind.COMPUTE;
            return reading ? slice : slice.writing(value(arguments));
        }
        Map<String, Object> attributes = new LinkedHashMap<>();
        List<String> names = operator.arguments();
        for (int i = 0; i < arguments.length; i++) {
            Object argument = arguments[i];
            if (argument != null && !isOperand(argument)) {
                attributes.put(i < names.size() ? names.get(i) : "arg" + i, attribute(argument));
            }
        }
        operator.defaults().forEach(attributes::putIfAbsent);
        completeAxes(operator.method().getName(), shape, attributes);
        return new CallDescription(operator.name(), attributes);
    }

    /** The name alone, without the cost of the attributes. */
    static String opOf(Operator operator, Shape shape, @Nullable Object[] arguments) {
        NDIndex index = index(operator, arguments);
        if (index == null) {
            return operator.name();
        }
        String op = IndexDescription.of(index, shape).op();
        return operator.kind() == Operator.Kind.COMPUTE ? op : "Set" + op;
    }

    private CallDescription writing(@Nullable Object value) {
        Map<String, Object> withValue = new LinkedHashMap<>(attributes);
        if (value instanceof Number) {
            withValue.put("value", value);
        }
        return new CallDescription("Set" + op, withValue);
    }

    private static @Nullable Object value(@Nullable Object[] arguments) {
        return arguments.length > 1 ? arguments[1] : null;
    }

    /* The many forms of get and set; null for other methods. */
    private static @Nullable NDIndex index(Operator operator, @Nullable Object[] arguments) {
        String method = operator.method().getName();
        if (!List.of("get", "set", "setScalar", "getScalar").contains(method)) {
            return null;
        }
        int first = arguments[0] instanceof ai.djl.ndarray.NDManager ? 1 : 0;
        Object index = arguments[first];
        if (index instanceof NDIndex given) {
            return given;
        }
        if (index instanceof NDArray array) {
            return new NDIndex("{}", array);
        }
        if (index instanceof long[] fixed) {
            return new NDIndex(fixed);
        }
        return index instanceof String text
                ? new NDIndex(
                        text, (Object[]) java.util.Objects.requireNonNull(arguments[first + 1]))
                : null;
    }

    /* What the forms without arguments mean, and the form with two axes. */
    private static void completeAxes(String method, Shape shape, Map<String, Object> attributes) {
        int rank = shape.dimension();
        if (method.equals("transpose") && isEmpty(attributes.get("axes"))) {
            attributes.put(
                    "axes", IntStream.range(0, rank).mapToObj(i -> (long) (rank - 1 - i)).toList());
        } else if (method.equals("swapAxes")) {
            List<Object> axes =
                    new ArrayList<>(
                            IntStream.range(0, rank).mapToObj(i -> (Object) (long) i).toList());
            int one = Math.floorMod(axis(attributes, "axis1"), rank);
            int other = Math.floorMod(axis(attributes, "axis2"), rank);
            Collections.swap(axes, one, other);
            attributes.clear();
            attributes.put("axes", List.copyOf(axes));
        } else if (method.equals("squeeze") && !attributes.containsKey("axes")) {
            attributes.put(
                    "axes",
                    IntStream.range(0, rank)
                            .filter(i -> shape.get(i) == 1)
                            .mapToObj(i -> (long) i)
                            .toList());
        }
    }

    private static int axis(Map<String, Object> attributes, String name) {
        return ((Number) Objects.requireNonNull(attributes.get(name))).intValue();
    }

    private static boolean isEmpty(@Nullable Object list) {
        return !(list instanceof List<?> l) || l.isEmpty();
    }

    private static boolean isOperand(Object argument) {
        return argument instanceof NDResource
                || argument instanceof NDArray[]
                || (argument instanceof Collection<?> c
                        && c.stream().anyMatch(NDArray.class::isInstance));
    }

    /**
     * Scalars, strings, shapes and data types stay; whole numbers become long, arrays become lists.
     */
    static Object attribute(Object argument) {
        if (argument instanceof Integer || argument instanceof Short || argument instanceof Byte) {
            return ((Number) argument).longValue();
        }
        if (argument instanceof Number
                || argument instanceof Boolean
                || argument instanceof String
                || argument instanceof Shape
                || argument instanceof DataType) {
            return argument;
        }
        if (argument instanceof Enum<?> constant) {
            return constant.name();
        }
        if (argument.getClass().isArray()) {
            return IntStream.range(0, Array.getLength(argument))
                    .mapToObj(i -> element(Array.get(argument, i)))
                    .toList();
        }
        if (argument instanceof Collection<?> collection) {
            return collection.stream().map(CallDescription::element).toList();
        }
        return argument instanceof Buffer buffer
                ? buffer.remaining() + " elements"
                : argument.toString();
    }

    private static Object element(@Nullable Object element) {
        return element == null || element instanceof NDList
                ? String.valueOf(element)
                : attribute(element);
    }
}
