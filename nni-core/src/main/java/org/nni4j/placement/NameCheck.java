package org.nni4j.placement;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.Suggestion;

/** Finds names, patterns and types that speak of nothing in the network. */
final class NameCheck {

    private final List<Target> targets;
    private final Set<String> paths = new LinkedHashSet<>();
    private final Set<String> types = new TreeSet<>();

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
        matcher.patterns().stream()
                .filter(p -> paths.stream().noneMatch(p::matches))
                .forEach(
                        p ->
                                problems.add(
                                        new ConfigProblem(
                                                "config[" + index + "].op_names_re",
                                                "no layer's name matches \"" + p + "\"")));
        return problems;
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
