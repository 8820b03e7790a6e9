package org.nni4j.config;

import static org.nni4j.config.MessageText.element;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/** Reads arrays of strings in which none is blank, too long or given twice. */
final class StringArray {

    static final int MOST_VALUES = 10_000;

    private final int longest;
    private final BiConsumer<String, String> check;
    private final Problems problems;

    /** The good strings, each with its path. */
    private final Map<String, String> places = new LinkedHashMap<>();

    private StringArray(int longest, BiConsumer<String, String> check, Problems problems) {
        this.longest = longest;
        this.check = check;
        this.problems = problems;
    }

    /**
     * Reads one array.
     *
     * @param longest the most characters of one string
     * @param check sees each good string with its path
     * @return the good strings in order
     */
    static Set<String> read(
            ConfigNode.Elements node,
            String path,
            int longest,
            BiConsumer<String, String> check,
            Problems problems) {
        StringArray array = new StringArray(longest, check, problems);
        array.addAll(node.values(), path);
        return array.places.keySet();
    }

    private void addAll(List<ConfigNode> values, String path) {
        if (values.isEmpty()) {
            problems.add(path, "[] is empty; expected at least one string");
        }
        if (values.size() > MOST_VALUES) {
            problems.add(path, values.size() + " strings; expected at most " + MOST_VALUES);
            return;
        }
        for (int i = 0; i < values.size(); i++) {
            add(values.get(i), element(path, i));
        }
    }

    private void add(ConfigNode node, String place) {
        if (!(node instanceof ConfigNode.Text text)) {
            problems.add(place, node + " " + node.kind() + "; expected a string");
        } else if (text.value().isBlank()) {
            problems.add(place, node + " is blank; expected a name");
        } else if (text.value().length() > longest) {
            String what = "a string of " + text.value().length() + " characters";
            problems.add(place, what + "; expected at most " + longest);
        } else {
            String first = places.putIfAbsent(text.value(), place);
            if (first != null) {
                problems.add(place, node + " is already " + first + "; expected each string once");
            } else {
                check.accept(text.value(), place);
            }
        }
    }
}
