package org.nni4j.checkpoint;

import java.io.IOException;
import java.io.Serial;
import java.util.List;

/**
 * A checkpoint that cannot be used: the file is none, is damaged or of a version that is not known,
 * or belongs to another run. It names every difference, one on a line.
 */
public final class CheckpointException extends IOException {

    @Serial private static final long serialVersionUID = 1L;

    /** Nobody reads more differences than this many. */
    private static final int LISTED = 100;

    private final String[] problems;

    /**
     * Reports one problem.
     *
     * @param problem what came and what was expected
     */
    public CheckpointException(String problem) {
        this("checkpoint", List.of(problem));
    }

    /**
     * Reports several problems together.
     *
     * @param source the file, or what else the problems are of
     * @param problems at least one
     * @throws IllegalArgumentException if there is none
     */
    public CheckpointException(String source, List<String> problems) {
        super(message(source, problems));
        this.problems = problems.toArray(String[]::new);
    }

    /**
     * Returns what is wrong.
     *
     * @return at least one problem
     */
    public List<String> problems() {
        return List.of(problems);
    }

    private static String message(String source, List<String> problems) {
        if (problems.isEmpty()) {
            throw new IllegalArgumentException("no problems; expected at least one");
        }
        if (problems.size() == 1) {
            return source + ": " + problems.get(0);
        }
        StringBuilder text = new StringBuilder(source + ": " + problems.size() + " problems");
        problems.stream().limit(LISTED).forEach(problem -> text.append("\n  ").append(problem));
        if (problems.size() > LISTED) {
            text.append("\n  further problems: ").append(problems.size() - LISTED);
        }
        return text.toString();
    }
}
