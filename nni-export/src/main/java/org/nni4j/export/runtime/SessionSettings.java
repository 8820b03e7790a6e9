package org.nni4j.export.runtime;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How ONNX Runtime runs a model.
 *
 * @param optimization what it may do to the graph
 * @param threads inside an operator; at least 1
 * @param optimizedModel where it writes the graph it made; empty for nowhere
 * @param entries its own configuration entries, by key
 */
public record SessionSettings(
        Optimization optimization,
        int threads,
        Optional<Path> optimizedModel,
        Map<String, String> entries) {

    /** What ONNX Runtime may do to the graph. */
    public enum Optimization {
        /** Nothing: operators run one by one, as the file says. */
        NONE,
        /** All but rearranging memory, so that operators keep their names. */
        EXTENDED,
        /** Everything: ONNX Runtime's default. */
        ALL
    }

    /**
     * Copies the entries.
     *
     * @throws IllegalArgumentException if threads is not positive
     */
    public SessionSettings {
        if (threads < 1) {
            throw new IllegalArgumentException(threads + " threads; expected at least 1");
        }
        entries = Map.copyOf(entries);
    }

    /**
     * Everything is optimized.
     *
     * @param threads at least 1
     * @return what users get by default, with a number of threads
     */
    public static SessionSettings standard(int threads) {
        return new SessionSettings(Optimization.ALL, threads, Optional.empty(), Map.of());
    }

    /**
     * Nothing is optimized, so that each operator computes what its definition says.
     *
     * @return for comparing numbers
     */
    public static SessionSettings exact() {
        return new SessionSettings(Optimization.NONE, 1, Optional.empty(), Map.of());
    }
}
