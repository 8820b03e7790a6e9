package org.nni4j.export;

import java.util.List;
import java.util.stream.Collectors;

/** A network cannot be exported. Nothing was written. */
public final class OnnxExportException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final List<String> problems;

    /**
     * Makes one.
     *
     * @param problems everything that stands in the way, each with the place in the network
     */
    public OnnxExportException(List<String> problems) {
        super(
                "the network cannot be exported to ONNX:"
                        + problems.stream()
                                .map(p -> System.lineSeparator() + "  " + p)
                                .collect(Collectors.joining()));
        this.problems = List.copyOf(problems);
    }

    /**
     * Returns everything that stands in the way.
     *
     * @return one line each
     */
    public List<String> problems() {
        return problems;
    }
}
