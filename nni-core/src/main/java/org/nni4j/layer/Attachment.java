package org.nni4j.layer;

import java.util.ArrayList;
import java.util.List;

/** Wrappers that sit in the slots of a network, and the way back. */
public final class Attachment {

    private List<Write> writes;

    Attachment(List<Write> writes) {
        this.writes = writes;
    }

    /** Carries all writes out, or none: those made are reverted when one fails. */
    static Attachment of(List<Write> writes) {
        Attachment attachment = new Attachment(new ArrayList<>(writes.size()));
        try {
            for (Write write : writes) {
                write.apply();
                attachment.writes.add(write);
            }
        } catch (RuntimeException | Error e) {
            attachment.detachAfter(e);
            throw e;
        }
        return attachment;
    }

    /** Detaches because of a failure, which stays the one to report. */
    void detachAfter(Throwable cause) {
        try {
            detach();
        } catch (RuntimeException e) {
            cause.addSuppressed(e);
        }
    }

    /**
     * Tells whether the wrappers are still in their slots.
     *
     * @return false once detached
     */
    public boolean isAttached() {
        return !writes.isEmpty();
    }

    /**
     * Puts every original block back. A slot that holds something else by now, because the user
     * changed it, is left as it is. Does nothing the second time.
     *
     * @throws RuntimeException what a slot threw, after all others were restored
     */
    public void detach() {
        List<Write> toRevert = writes;
        writes = List.of();
        RuntimeException failure = null;
        for (int i = toRevert.size() - 1; i >= 0; i--) {
            try {
                toRevert.get(i).revert();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
