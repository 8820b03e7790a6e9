package org.nni4j.export.network;

/** Something follows the batch size in a way that a model for any batch size cannot express. */
public final class BatchDependenceException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /**
     * Makes one.
     *
     * @param message what depends on the batch size, and how
     */
    public BatchDependenceException(String message) {
        super(message);
    }
}
