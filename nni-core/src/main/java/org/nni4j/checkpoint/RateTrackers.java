package org.nni4j.checkpoint;

import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * The learning-rate trackers of an optimizer, as they were before the first step.
 *
 * <p>A tracker is a function of the update count, but some only for counts that grow: DJL's {@code
 * MultiFactorTracker} multiplies its rate when a count is passed, and does not notice one that goes
 * back. Begun anew, a tracker gives what it would give a run that was resumed with a new one.
 */
public final class RateTrackers {

    private final List<Kept> kept = new ArrayList<>();

    private record Kept(Object tracker, Field field, Object value) {}

    private RateTrackers() {}

    /**
     * Looks at an optimizer's trackers, and at the trackers in these.
     *
     * @param optimizer before its first step
     * @return what it finds in their fields of primitive types; fields that do not show their value
     *     are passed over
     * @throws IllegalStateException if a field cannot be read all the same
     */
    public static RateTrackers of(Optimizer optimizer) {
        RateTrackers trackers = new RateTrackers();
        trackers.look(optimizer, false, Collections.newSetFromMap(new IdentityHashMap<>()));
        return trackers;
    }

    /**
     * Stands for those of no optimizer.
     *
     * @return none
     */
    public static RateTrackers none() {
        return new RateTrackers();
    }

    private void look(Object owner, boolean isTracker, Set<Object> seen) {
        if (!seen.add(owner)) {
            return;
        }
        for (Class<?> c = owner.getClass(); c != null; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                boolean tracks = ParameterTracker.class.isAssignableFrom(field.getType());
                boolean counts = isTracker && field.getType().isPrimitive();
                if ((tracks || (counts && !Modifier.isFinal(field.getModifiers())))
                        && !Modifier.isStatic(field.getModifiers())
                        && field.trySetAccessible()) {
                    look(owner, field, seen);
                }
            }
        }
    }

    private void look(Object owner, Field field, Set<Object> seen) {
        try {
            Object value = field.get(owner);
            if (field.getType().isPrimitive()) {
                kept.add(new Kept(owner, field, value));
            } else if (value != null) {
                look(value, true, seen);
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(field + " cannot be read", e);
        }
    }

    /**
     * Lets the trackers begin anew: the next count they are asked for may be any.
     *
     * @throws IllegalStateException if a field that could be read cannot be written
     */
    public void restart() {
        for (Kept each : kept) {
            try {
                each.field().set(each.tracker(), each.value());
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(each.field() + " cannot be set", e);
            }
        }
    }
}
