package org.nni4j.examples;

import java.io.EOFException;
import java.io.IOException;
import java.io.Serial;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
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

    /** Returns the exception for a file that cannot be read or written. */
    static InputException unreadable(Path file, IOException cause) {
        return new InputException(file + ": " + reason(cause), cause);
    }

    /** Returns the exception for a file that an option named. */
    static InputException unreadable(String option, Path file, IOException cause) {
        return new InputException(option + ": " + file + ": " + reason(cause), cause);
    }

    /** Says what the message of Java's own file exceptions, which is only a path, leaves out. */
    private static String reason(IOException cause) {
        if (cause instanceof NoSuchFileException) {
            return "no such file";
        }
        if (cause instanceof AccessDeniedException) {
            return "access denied";
        }
        if (cause instanceof FileAlreadyExistsException) {
            return "is a file; expected a folder";
        }
        if (cause instanceof EOFException) {
            return "truncated";
        }
        return String.valueOf(cause.getMessage());
    }
}
