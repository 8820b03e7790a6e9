package org.nni4j.layer;

import ai.djl.nn.Block;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import com.google.common.base.Suppliers;
import com.google.common.reflect.TypeToken;
import java.lang.reflect.ParameterizedType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds everything that holds one of some blocks, from the root of a network on, and plans the
 * writes that put its replacement there.
 *
 * <p>Looked into are the fields of blocks, and in them lists, maps, arrays and other collections,
 * {@code Optional}s, DJL's pair lists, records, lambdas, and objects of the user's own packages.
 * Nothing is changed.
 */
final class SlotSearch {

    private final IdentityHashMap<Block, Replacement> replacements;
    private final Fields fields = new Fields();
    private final Deque<Visit> toVisit = new ArrayDeque<>();
    private final Set<Object> queued = Collections.newSetFromMap(new IdentityHashMap<>());

    /**
     * Collections met, with their copy if they cannot be written to; by object, so that sharing is
     * kept.
     */
    private final IdentityHashMap<Object, Optional<Supplier<?>>> met = new IdentityHashMap<>();

    private final List<Write> writes = new ArrayList<>();

    private record Visit(Object object, TypeToken<?> type, String slot) {}

    /**
     * Where a value was found: the class of the object that holds it, and the words for an error.
     */
    private record Site(Class<?> owner, String slot) {}

    SlotSearch(IdentityHashMap<Block, Replacement> replacements) {
        this.replacements = replacements;
    }

    /**
     * Plans the writes.
     *
     * @throws IllegalStateException if a slot cannot be taken, or holds a wrapper already
     */
    List<Write> from(Block root) {
        enqueue(root, TypeToken.of(root.getClass()), "the root");
        for (Visit visit = toVisit.poll(); visit != null; visit = toVisit.poll()) {
            visit(visit);
        }
        return writes;
    }

    private void visit(Visit visit) {
        Object object = visit.object();
        for (Fields.Typed typed : fields.of(visit.type())) {
            Object value = Fields.read(typed.field(), object);
            String slot = object.getClass().isHidden() ? visit.slot() : Fields.name(typed.field());
            Supplier<?> after = after(value, typed.type(), new Site(object.getClass(), slot));
            if (value == null || after == null) {
                continue;
            }
            if (typed.isUnwritable()) {
                throw unwritable(value, object, slot);
            }
            writes.add(new Write.ToField(object, typed.field(), value, after));
        }
    }

    /**
     * Returns what has to come in a value's place, null if the value can stay (it may change
     * inside).
     */
    private @Nullable Supplier<?> after(@Nullable Object value, TypeToken<?> declared, Site site) {
        if (value == null || !Fields.canLeadToBlocks(value.getClass())) {
            return null;
        }
        if (value instanceof Block block) {
            return afterBlock(block, declared, site);
        }
        if (value instanceof Object[] array) {
            return once(array, () -> afterArray(array, declared, site));
        }
        if (value instanceof Collection<?> collection) {
            return once(collection, () -> afterCollection(objects(collection), declared, site));
        }
        if (value instanceof Map<?, ?> map) {
            return once(map, () -> afterMap(objects(map), declared, site));
        }
        if (value instanceof Optional<?> optional) {
            return afterOptional(optional, declared, site);
        }
        if (isHolder(value.getClass(), site.owner())) {
            String slot = value.getClass().isHidden() ? "a lambda in " + site.slot() : site.slot();
            enqueue(value, typeOf(value, declared), slot);
        }
        return null;
    }

    private @Nullable Supplier<?> afterBlock(Block block, TypeToken<?> declared, Site site) {
        if (block instanceof LayerWrapper || LayerAdapter.isAdapter(block)) {
            throw new IllegalStateException(
                    site.slot()
                            + " is already quantized; restore the network before quantizing it"
                            + " again");
        }
        enqueue(block, typeOf(block, declared), site.slot());
        Replacement replacement = replacements.get(block);
        return replacement == null ? null : replacement.in(declared.getRawType(), site.slot());
    }

    private @Nullable Supplier<?> afterArray(Object[] array, TypeToken<?> declared, Site site) {
        TypeToken<?> component = declared.getComponentType();
        TypeToken<?> element =
                component == null ? TypeToken.of(array.getClass().getComponentType()) : component;
        for (int i = 0; i < array.length; i++) {
            Supplier<?> after = after(array[i], element, site);
            if (after != null) {
                writes.add(new Write.ToArray(array, i, array[i], after));
            }
        }
        return null;
    }

    private @Nullable Supplier<?> afterCollection(
            Collection<Object> collection, TypeToken<?> declared, Site site) {
        TypeToken<?> element = fields.contentOf(declared, Iterable.class);
        List<Object> before = new ArrayList<>(collection);
        Map<Integer, Supplier<?>> changes = new LinkedHashMap<>();
        for (int i = 0; i < before.size(); i++) {
            Supplier<?> after = after(before.get(i), element, site);
            if (after != null) {
                changes.put(i, after);
            }
        }
        if (changes.isEmpty()) {
            return null;
        }
        if (Copies.isWritable(collection)) {
            changes.forEach((i, after) -> writes.add(write(collection, i, before.get(i), after)));
            return null;
        }
        Function<List<Object>, Object> maker =
                Copies.of(collection, declared.getRawType())
                        .orElseThrow(() -> uncopied(collection, site));
        return Suppliers.memoize(
                () -> {
                    changes.forEach((i, after) -> before.set(i, after.get()));
                    return maker.apply(before);
                });
    }

    private @Nullable Supplier<?> afterMap(
            Map<Object, Object> map, TypeToken<?> declared, Site site) {
        TypeToken<?> valueType = fields.contentOf(declared, Map.class);
        Map<Object, Object> before = new LinkedHashMap<>(map);
        Map<Object, Supplier<?>> changes = new LinkedHashMap<>();
        before.forEach(
                (key, value) -> {
                    checkKey(key, site);
                    Supplier<?> after = after(value, valueType, site);
                    if (after != null) {
                        changes.put(key, after);
                    }
                });
        if (changes.isEmpty()) {
            return null;
        }
        if (Copies.isWritable(map)) {
            changes.forEach(
                    (key, after) -> {
                        Object old = Objects.requireNonNull(map.get(key), "a block");
                        writes.add(new Write.ToMap(map, key, old, after));
                    });
            return null;
        }
        Function<Map<Object, Object>, Object> maker =
                Copies.of(map, declared.getRawType()).orElseThrow(() -> uncopied(map, site));
        return Suppliers.memoize(
                () -> {
                    changes.forEach((key, after) -> before.put(key, after.get()));
                    return maker.apply(before);
                });
    }

    private @Nullable Supplier<?> afterOptional(
            Optional<?> optional, TypeToken<?> declared, Site site) {
        Supplier<?> after =
                after(optional.orElse(null), fields.contentOf(declared, Optional.class), site);
        return after == null ? null : Suppliers.memoize(() -> Optional.of(after.get()));
    }

    private @Nullable Supplier<?> once(Object object, Supplier<@Nullable Supplier<?>> search) {
        Optional<Supplier<?>> known = met.get(object);
        if (known == null) {
            met.put(object, Optional.empty()); // a collection that contains itself
            known = Optional.ofNullable(search.get());
            met.put(object, known);
        }
        return known.orElse(null);
    }

    private void enqueue(Object object, TypeToken<?> type, String slot) {
        if (queued.add(object)) {
            toVisit.add(new Visit(object, type, slot));
        }
    }

    /**
     * A block that is a key is looked up by the block that stands in the network, which would be
     * another one.
     */
    private void checkKey(@Nullable Object key, Site site) {
        if (key instanceof Block block) {
            Replacement replacement = replacements.get(block);
            if (replacement != null) {
                throw replacement.refused(site.slot(), "uses the block as the key of a map", null);
            }
        }
    }

    private IllegalStateException unwritable(Object value, Object holder, String slot) {
        String reason =
                holder.getClass().isHidden()
                        ? "captures the block and cannot be written; use a class"
                        : "belongs to a record and cannot be written; use a class";
        Replacement replacement = value instanceof Block block ? replacements.get(block) : null;
        return replacement == null
                ? new IllegalStateException(slot + " " + reason)
                : replacement.refused(slot, reason, null);
    }

    private static IllegalStateException uncopied(Object collection, Site site) {
        return new IllegalStateException(
                site.slot()
                        + " holds layers in a "
                        + collection.getClass().getName()
                        + ", which cannot be written; use a list or map that can be");
    }

    private static Write write(
            Collection<Object> collection, int index, Object before, Supplier<?> after) {
        return collection instanceof List<Object> list
                ? new Write.ToList(list, index, before, after)
                : new Write.ToCollection(collection, before, after);
    }

    /**
     * Tells whether an object that is no block is looked into. An application context or a data set
     * that a block happens to know is not.
     */
    private static boolean isHolder(Class<?> type, Class<?> owner) {
        String name = type.getName();
        if (name.startsWith("java.") || name.startsWith("javax.") || name.startsWith("jdk.")) {
            return false;
        }
        return type.isHidden()
                || type.isRecord()
                || PairList.class.isAssignableFrom(type)
                || Pair.class.isAssignableFrom(type)
                || (!name.startsWith("ai.djl.")
                        && namespace(type.getPackageName())
                                .equals(namespace(owner.getPackageName())));
    }

    /** {@code com.acme} of {@code com.acme.vision.heads}. */
    private static String namespace(String packageName) {
        int second = packageName.indexOf('.', packageName.indexOf('.') + 1);
        return second < 0 ? packageName : packageName.substring(0, second);
    }

    /** The object's class, with type arguments where the slot it was found in says them. */
    private static TypeToken<?> typeOf(Object object, TypeToken<?> declared) {
        if (declared.getType() instanceof ParameterizedType
                && declared.getRawType().isInstance(object)) {
            try {
                return declared.getSubtype(object.getClass());
            } catch (IllegalArgumentException notExpressible) {
                return TypeToken.of(object.getClass());
            }
        }
        return TypeToken.of(object.getClass());
    }

    /** Elements are only exchanged for others that fit the declared element type. */
    @SuppressWarnings("unchecked")
    private static Collection<Object> objects(Collection<?> collection) {
        return (Collection<Object>) collection;
    }

    /** Values are only exchanged for others that fit the declared value type. */
    @SuppressWarnings("unchecked")
    private static Map<Object, Object> objects(Map<?, ?> map) {
        return (Map<Object, Object>) map;
    }
}
