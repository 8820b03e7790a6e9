package org.nni4j.fakequant;

import java.util.HashSet;
import java.util.Set;

/**
 * Counts completed optimizer steps; shared by a quantizer's layers and its optimizer.
 *
 * <p>DJL has no step event: an optimizer is called once for each parameter and device. A step
 * begins with the first update after a training forward, or when a parameter comes round again.
 */
public final class StepClock {

    private final Set<Object> updated = new HashSet<>();
    private long completed;

    /** Makes a clock that stands before the first step. */
    public StepClock() {}

    /**
     * Returns the number of the step that is being computed.
     *
     * @return 1 + completed optimizer steps
     */
    public synchronized long step() {
        return completed + 1;
    }

    /**
     * Takes note of the update of one parameter on one device.
     *
     * @param key stands for the parameter and the device
     * @return true if a step began with it, which is now counted
     */
    public synchronized boolean update(Object key) {
        boolean begins = updated.isEmpty() || updated.contains(key);
        if (begins) {
            updated.clear();
            completed++;
        }
        updated.add(key);
        return begins;
    }

    /** Takes note of a training forward, which ends the step before it. */
    synchronized void forward() {
        updated.clear();
    }

    /**
     * Sets the clock, when training is resumed.
     *
     * @param steps completed optimizer steps, not negative
     * @throws IllegalArgumentException if steps is negative
     */
    public synchronized void resume(long steps) {
        if (steps < 0) {
            throw new IllegalArgumentException(steps + " completed steps; expected 0 or more");
        }
        completed = steps;
        updated.clear();
    }
}
