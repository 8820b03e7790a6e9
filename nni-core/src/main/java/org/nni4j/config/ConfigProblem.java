package org.nni4j.config;

import java.io.Serializable;

/**
 * One thing that is wrong with a config list, and where.
 *
 * @param path the place, for instance {@code config[2].quant_bits.weight}
 * @param message the offending value and what is allowed; lower case, no full stop
 */
public record ConfigProblem(String path, String message) implements Serializable {

    /** Shows path and message as {@code path: message}. */
    @Override
    public String toString() {
        return path + ": " + message;
    }
}
