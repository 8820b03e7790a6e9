package org.nni4j.layer;

import ai.djl.nn.Parameter;
import com.google.common.reflect.TypeToken;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The instance fields of classes that may lead to blocks, with type variables resolved; looked up
 * once per type.
 */
final class Fields {

    private final Map<TypeToken<?>, List<Typed>> byType = new HashMap<>();
    private final Map<Content, TypeToken<?>> contents = new HashMap<>();

    private record Content(TypeToken<?> declared, Class<?> generic) {}

    /**
     * A readable field.
     *
     * @param field accessible
     * @param type as seen from the class it was looked up for: {@code Linear} for a field {@code T
     *     body} of a {@code Base<T>} that is extended as {@code Base<Linear>}
     */
    record Typed(Field field, TypeToken<?> type) {

        /** The virtual machine trusts these to be final. */
        boolean isUnwritable() {
            Class<?> owner = field.getDeclaringClass();
            return Modifier.isFinal(field.getModifiers()) && (owner.isRecord() || owner.isHidden());
        }
    }

    /**
     * Lists the fields of a class and its superclasses.
     *
     * @throws IllegalStateException if a field is closed to reflection
     */
    List<Typed> of(TypeToken<?> type) {
        List<Typed> known = byType.get(type);
        if (known == null) {
            known = lookUp(type);
            byType.put(type, known);
        }
        return known;
    }

    /**
     * Returns the type of what a container holds.
     *
     * @param declared type of the slot that holds the container
     * @param generic what kind of container it is; its last type parameter is asked for
     */
    TypeToken<?> contentOf(TypeToken<?> declared, Class<?> generic) {
        return contents.computeIfAbsent(new Content(declared, generic), Fields::resolve);
    }

    private static TypeToken<?> resolve(Content content) {
        TypeVariable<?>[] parameters = content.generic().getTypeParameters();
        return content.generic().isAssignableFrom(content.declared().getRawType())
                ? content.declared().resolveType(parameters[parameters.length - 1])
                : TypeToken.of(Object.class);
    }

    /** Tells whether a value of this type, or one it contains, can be a block. */
    static boolean canLeadToBlocks(Class<?> type) {
        if (type.isArray()) {
            return canLeadToBlocks(type.getComponentType());
        }
        String name = type.getName();
        return !type.isPrimitive()
                && !Enum.class.isAssignableFrom(type)
                && !Parameter.class.isAssignableFrom(type)
                && !name.startsWith("ai.djl.ndarray.")
                && (!name.startsWith("java.lang.")
                        || type == Object.class
                        || type == Iterable.class);
    }

    static @Nullable Object read(Field field, Object holder) {
        try {
            return field.get(holder);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(name(field) + " cannot be read", e);
        }
    }

    /** {@code field com.acme.Net.head}. */
    static String name(Field field) {
        return "field " + field.getDeclaringClass().getName() + "." + field.getName();
    }

    private static List<Typed> lookUp(TypeToken<?> type) {
        List<Typed> fields = new ArrayList<>();
        for (Class<?> c = type.getRawType(); c != null && !isJdk(c); c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) && canLeadToBlocks(field.getType())) {
                    open(field);
                    fields.add(new Typed(field, type.resolveType(field.getGenericType())));
                }
            }
        }
        return fields;
    }

    private static boolean isJdk(Class<?> type) {
        return type.getName().startsWith("java.");
    }

    private static void open(Field field) {
        try {
            field.setAccessible(true);
        } catch (RuntimeException e) {
            throw new IllegalStateException(
                    name(field)
                            + " is closed to reflection; open package "
                            + field.getDeclaringClass().getPackageName()
                            + " of its module",
                    e);
        }
    }
}
