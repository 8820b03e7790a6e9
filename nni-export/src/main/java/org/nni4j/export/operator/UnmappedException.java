package org.nni4j.export.operator;

/** An operator that cannot be written as ONNX nodes; the message says what about it. */
public final class UnmappedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /**
     * Makes one.
     *
     * @param message what is not supported; where it is gets added
     */
    public UnmappedException(String message) {
        super(message);
    }
}
