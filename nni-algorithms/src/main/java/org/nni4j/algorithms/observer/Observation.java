package org.nni4j.algorithms.observer;

/**
 * Whether a network is still observed; all its points share one, also those that no tensor has
 * reached yet.
 */
final class Observation {

    private volatile boolean ended;

    /**
     * Tells whether it has ended: points that were calibrated quantize, others pass tensors as they
     * are.
     */
    boolean isEnded() {
        return ended;
    }

    void end() {
        ended = true;
    }

    /** Goes back to what was saved. */
    void load(boolean saved) {
        ended = saved;
    }
}
