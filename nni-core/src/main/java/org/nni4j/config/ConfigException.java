package org.nni4j.config;

import com.google.common.collect.ImmutableList;
import java.io.Serial;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A config list that cannot be used. It names every problem that was found, not only the first; the
 * message has one line for each.
 */
public final class ConfigException extends IllegalArgumentException {

    @Serial private static final long serialVersionUID = 1L;

    private final ImmutableList<ConfigProblem> problems;

    /**
     * Reports several problems together.
     *
     * @param problems at least one
     */
    public ConfigException(List<ConfigProblem> problems) {
        this(null, problems);
    }

    /**
     * Reports one problem.
     *
     * @param path the place, for instance {@code config[2].op_names[0]}
     * @param message the offending value and what is allowed
     */
    public ConfigException(String path, String message) {
        this(null, List.of(new ConfigProblem(path, message)));
    }

    /**
     * Reports several problems of something that is not a config list, or of a file.
     *
     * @param source what the problems are of, for instance a file's name; null for a config list
     * @param problems at least one
     */
    public ConfigException(@Nullable String source, List<ConfigProblem> problems) {
        super(message(source, problems));
        this.problems = ImmutableList.copyOf(problems);
    }

    /**
     * Returns what is wrong, in the order of the list.
     *
     * @return at least one problem
     */
    public List<ConfigProblem> problems() {
        return problems;
    }

    private static String message(@Nullable String source, List<ConfigProblem> problems) {
        if (problems.isEmpty()) {
            throw new IllegalArgumentException("no problems; expected at least one");
        }
        if (problems.size() == 1) {
            return (source == null ? "" : source + ": ") + problems.get(0);
        }
        String where = source == null ? "config list" : source;
        return problems.stream()
                .map(problem -> "\n  " + problem)
                .collect(Collectors.joining("", where + ": " + problems.size() + " problems", ""));
    }
}
