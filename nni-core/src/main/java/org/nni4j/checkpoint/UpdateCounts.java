package org.nni4j.checkpoint;

import ai.djl.training.optimizer.Optimizer;
import java.lang.reflect.Field;
import java.util.Map;

/** How often DJL's optimizer has updated each parameter, which it keeps to itself. */
public final class UpdateCounts {

    static final String UPDATES = "numUpdate";
    static final String COUNTS = "updateCounts";

    private final Optimizer optimizer;

    /**
     * Looks into an optimizer.
     *
     * @param optimizer any
     */
    public UpdateCounts(Optimizer optimizer) {
        this.optimizer = optimizer;
    }

    /**
     * Tells whether no parameter was ever updated.
     *
     * @return false from the first update on
     */
    public boolean isEmpty() {
        return byId().isEmpty();
    }

    /**
     * Returns the largest count, by which learning rates and moments are computed.
     *
     * @return updates of the parameter that was updated most
     * @throws IllegalStateException if this version of DJL keeps it otherwise
     */
    public int largest() {
        try {
            return field(UPDATES).getInt(optimizer);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("DJL's Optimizer does not show its count", e);
        }
    }

    /**
     * Gives a parameter that is updated for the first time the count of those before it.
     *
     * @param parameterId DJL's id
     * @param updates its updates so far, as is said
     */
    public void join(String parameterId, int updates) {
        byId().putIfAbsent(parameterId, updates);
    }

    /**
     * Gives a parameter that missed updates the count of those that did not, as if it were updated
     * for the first time.
     *
     * @param parameterId DJL's id
     * @param updates the least it has from now on
     */
    public void catchUp(String parameterId, int updates) {
        byId().merge(parameterId, updates, Math::max);
    }

    @SuppressWarnings("unchecked")
    Map<String, Integer> byId() {
        try {
            return (Map<String, Integer>) field(COUNTS).get(optimizer);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("DJL's Optimizer does not show its counts", e);
        }
    }

    void setLargest(int updates) {
        try {
            field(UPDATES).setInt(optimizer, updates);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("DJL's Optimizer does not let its count be set", e);
        }
    }

    private static Field field(String name) {
        try {
            Field field = Optimizer.class.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException | RuntimeException e) {
            throw new IllegalStateException(
                    "this version of DJL keeps no \"" + name + "\" in its optimizers", e);
        }
    }
}
