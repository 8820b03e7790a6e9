package org.nni4j.export.runtime;

import org.jspecify.annotations.Nullable;

/** ONNX Runtime refused a model or an input, or an operator failed. */
public final class OnnxRuntimeException extends RuntimeException {

    private static final long serialVersionUID = 1;

    OnnxRuntimeException(String message, @Nullable Throwable cause) {
        super("ONNX Runtime: " + message, cause);
    }
}
