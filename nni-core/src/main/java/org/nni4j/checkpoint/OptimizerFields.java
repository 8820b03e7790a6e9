package org.nni4j.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Looks into an optimizer, since DJL's do not show what they remember.
 *
 * <p>Fields count by their types: {@code Map<String, Map<Device, NDArray>>} is memory, numbers and
 * words are settings, learning-rate trackers are functions of the update count. Anything else might
 * be memory of some other kind, and is an error rather than forgotten.
 */
final class OptimizerFields {

    private static final Set<String> COUNTED = Set.of(UpdateCounts.UPDATES, UpdateCounts.COUNTS);

    private final Optimizer optimizer;
    private final Map<String, Map<String, Map<Device, NDArray>>> states = new LinkedHashMap<>();
    private final Map<String, String> settings = new LinkedHashMap<>();

    OptimizerFields(Optimizer optimizer) {
        this.optimizer = optimizer;
        for (Field field : fields(Optimizer.class)) {
            if (!COUNTED.contains(field.getName())) {
                settings.put(field.getName(), String.valueOf(value(field)));
            }
        }
        if (optimizer instanceof StatefulOptimizer stateful) {
            states.putAll(stateful.parameterStates());
            settings.putAll(stateful.settings());
            return;
        }
        for (Class<?> c = optimizer.getClass(); c != Optimizer.class; c = c.getSuperclass()) {
            fields(c).forEach(this::look);
        }
    }

    private static List<Field> fields(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        for (Field field : type.getDeclaredFields()) {
            boolean outer = field.isSynthetic() && field.getName().startsWith("this$");
            if (!Modifier.isStatic(field.getModifiers()) && !outer) {
                fields.add(field);
            }
        }
        return fields;
    }

    private void look(Field field) {
        Class<?> type = field.getType();
        if (isState(field.getGenericType())) {
            states.put(field.getName(), stateOf(field));
        } else if (isSetting(field)) {
            settings.put(field.getName(), String.valueOf(value(field)));
        } else if (!ParameterTracker.class.isAssignableFrom(type)) {
            throw new IllegalStateException(
                    "optimizer "
                            + optimizer.getClass().getName()
                            + ": field \""
                            + field.getName()
                            + "\" of type "
                            + field.getGenericType().getTypeName()
                            + " cannot be saved; expected Map<String, Map<Device, NDArray>>, a"
                            + " ParameterTracker or a final number, or an optimizer that"
                            + " implements "
                            + StatefulOptimizer.class.getName());
        }
    }

    private static boolean isState(Type type) {
        return type instanceof ParameterizedType outer
                && outer.getRawType() instanceof Class<?> map
                && Map.class.isAssignableFrom(map)
                && outer.getActualTypeArguments().length == 2
                && outer.getActualTypeArguments()[0] == String.class
                && outer.getActualTypeArguments()[1] instanceof ParameterizedType inner
                && inner.getRawType() instanceof Class<?> innerMap
                && Map.class.isAssignableFrom(innerMap)
                && Arrays.equals(
                        inner.getActualTypeArguments(), new Type[] {Device.class, NDArray.class});
    }

    /** A number that is not final may change from step to step; DJL's own do not. */
    private static boolean isSetting(Field field) {
        Class<?> type = field.getType();
        boolean lasts =
                Modifier.isFinal(field.getModifiers())
                        || field.getDeclaringClass().getPackage() == Optimizer.class.getPackage();
        return lasts && (type.isPrimitive() || type == String.class || type.isEnum());
    }

    private Object value(Field field) {
        try {
            field.setAccessible(true);
            return field.get(optimizer);
        } catch (IllegalAccessException | RuntimeException e) {
            throw new IllegalStateException(
                    "optimizer "
                            + optimizer.getClass().getName()
                            + ": field \""
                            + field.getName()
                            + "\" cannot be read",
                    e);
        }
    }

    @SuppressWarnings("unchecked")
    private Map<String, Map<Device, NDArray>> stateOf(Field field) {
        return (Map<String, Map<Device, NDArray>>) value(field);
    }

    Map<String, Map<String, Map<Device, NDArray>>> states() {
        return states;
    }

    Map<String, String> settings() {
        return settings;
    }
}
