package org.nni4j.examples;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.Path;

/** Something the user gave cannot be used; the message says what and what is expected. */
final class InputException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    InputException(String message) {
        super(message);
    }

    private InputException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Returns the exception for a file that exists but cannot be read or written. */
    static InputException unreadable(Path file, IOException cause) {
        return new InputException(file + ": " + cause.getMessage(), cause);
    }
}
