package org.nni4j.config;

import static org.nni4j.config.MessageText.element;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads arrays of strings in which none is blank, too long or given twice. */
final class StringArray {

    static final int MOST_VALUES = 10_000;

    private final int longest;
    private final Problems problems;

    /** The good strings, each with its path. */
    private final Map<String, String> places = new LinkedHashMap<>();

    private StringArray(int longest, Problems problems) {
        this.longest = longest;
        this.problems = problems;
    }

    /**
     * Reads one array.
     *
     * @param longest the most characters of one string
     * @return the good strings in order, each with its path
     */
    static Map<String, String> read(ConfigNode node, String path, int longest, Problems problems) {
        StringArray array = new StringArray(longest, problems);
        if (node instanceof ConfigNode.Elements elements) {
            array.addAll(elements.values(), path);
        } else {
            // NNI's documentation allows a bare string where its schema does not; say what to
            // write.
            String hint = node instanceof ConfigNode.Text ? ": [" + node + "]" : " of strings";
            problems.add(path, node + " " + node.kind() + "; expected an array" + hint);
        }
        return array.places;
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
            }
        }
    }
}
