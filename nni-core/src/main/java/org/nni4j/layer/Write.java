package org.nni4j.layer;

/** One change to the network's objects that can be taken back. */
interface Write {

    /**
     * Makes the change.
     *
     * @throws IllegalStateException if the slot does not take it
     */
    void apply();

    /** Takes the change back, unless someone else changed the slot since. */
    void revert();
}
