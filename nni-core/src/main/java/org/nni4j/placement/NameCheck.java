package org.nni4j.placement;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.NamePattern;
import org.nni4j.config.Suggestion;

/** Finds names, patterns and types that speak of nothing in the network. */
final class NameCheck {

    private final List<Target> targets;
    private final Set<String> paths = new LinkedHashSet<>();
    private final Set<String> types = new TreeSet<>();
    private boolean tooSlow;

    NameCheck(List<Target> targets) {
        this.targets = targets;
        for (Target target : targets) {
            target.paths().forEach(paths::add);
            types.add(target.type());
        }
    }

    List<ConfigProblem> problems(EntryMatcher matcher, int index) {
        List<ConfigProblem> problems = new ArrayList<>();
        for (String name : matcher.entry().opNames()) {
            if (!paths.contains(name)) {
                problems.add(
                        new ConfigProblem(
                                "config[" + index + "].op_names",
                                "no layer is named \"" + name + "\"" + nearest(name)));
            }
        }
        for (NamePattern pattern : matcher.patterns()) {
            problem(pattern)
                    .map(what -> new ConfigProblem("config[" + index + "].op_names_re", what))
                    .ifPresent(problems::add);
        }
        return problems;
    }

    /** What is wrong with a pattern, tried on every path: matching must not fail half-way later. */
    private Optional<String> problem(NamePattern pattern) {
        try {
            long matches = paths.stream().filter(pattern::matches).count();
            return matches > 0
                    ? Optional.empty()
                    : Optional.of("no layer's name matches \"" + pattern + "\"");
        } catch (ConfigException e) {
            tooSlow = true;
            return Optional.of(e.problems().get(0).message());
        }
    }

    /** Whether a pattern that was looked at takes too long on some path. */
    boolean foundTooSlow() {
        return tooSlow;
    }

    private String nearest(String name) {
        String question = Suggestion.of(name, paths).question();
        return question.isEmpty()
                ? "; the first of its " + paths.size() + " layers are " + first()
                : question;
    }

    private List<String> first() {
        return paths.stream().limit(5).toList();
    }

    List<String> notes(EntryMatcher matcher, int index) {
        List<String> notes = new ArrayList<>();
        for (String type : matcher.entry().opTypes()) {
            if (!types.contains(type)) {
                notes.add(
                        "config["
                                + index
                                + "].op_types: the network has no layer of type \""
                                + type
                                + "\"; it has "
                                + types);
            }
        }
        if (notes.isEmpty() && targets.stream().noneMatch(matcher::matches)) {
            notes.add(
                    "config["
                            + index
                            + "] matches no layer: op_types and names must hold together");
        }
        return notes;
    }
}
