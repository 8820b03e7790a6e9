package org.nni4j.config;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What one scalar of a config list may be.
 *
 * @param <T> what it becomes in Java
 */
interface ValueRule<T> {

    /** Names what is allowed, for instance {@code true or false}. */
    String expected();

    /**
     * Checks a value.
     *
     * @return the value, or null if it is wrong and the problem has been added
     */
    @Nullable T read(ConfigNode node, String path, Problems problems);

    /** True or false. */
    static ValueRule<Boolean> flag() {
        return new ValueRule<>() {
            @Override
            public String expected() {
                return "true or false";
            }

            @Override
            public @Nullable Boolean read(ConfigNode node, String path, Problems problems) {
                if (node instanceof ConfigNode.Flag flag) {
                    return flag.value();
                }
                problems.add(path, node + " " + node.kind() + "; expected " + expected());
                return null;
            }
        };
    }

    /**
     * A whole number from {@code min} to {@code max}; {@code unit} follows the value in messages.
     */
    static ValueRule<Integer> whole(int min, int max, String unit) {
        return new ValueRule<>() {
            @Override
            public String expected() {
                return min + ".." + max;
            }

            @Override
            public @Nullable Integer read(ConfigNode node, String path, Problems problems) {
                if (!(node instanceof ConfigNode.Literal literal)) {
                    String what = node + " " + node.kind();
                    problems.add(path, what + "; expected a whole number " + expected());
                    return null;
                }
                BigDecimal value = literal.exact();
                if (value == null || value.stripTrailingZeros().scale() > 0) {
                    String what = node + " is not a whole number";
                    problems.add(path, what + "; expected " + expected());
                    return null;
                }
                if (value.compareTo(BigDecimal.valueOf(min)) < 0
                        || value.compareTo(BigDecimal.valueOf(max)) > 0) {
                    problems.add(path, node + unit + " is not supported; expected " + expected());
                    return null;
                }
                return value.intValueExact();
            }
        };
    }

    /** A number above {@code above} and up to {@code max}. */
    static ValueRule<Double> number(double above, double max) {
        return new ValueRule<>() {
            @Override
            public String expected() {
                return "above "
                        + BigDecimal.valueOf(above).stripTrailingZeros().toPlainString()
                        + " and at most "
                        + BigDecimal.valueOf(max).stripTrailingZeros().toPlainString();
            }

            @Override
            public @Nullable Double read(ConfigNode node, String path, Problems problems) {
                if (!(node instanceof ConfigNode.Literal literal)) {
                    String what = node + " " + node.kind();
                    problems.add(path, what + "; expected a number " + expected());
                    return null;
                }
                double value = literal.approximate();
                if (!(value > above && value <= max)) {
                    problems.add(path, node + " is not supported; expected " + expected());
                    return null;
                }
                return value;
            }
        };
    }

    /** One of a few words. */
    static <T> ValueRule<T> choice(String noun, Map<String, T> choices) {
        List<String> words = List.copyOf(choices.keySet());
        return new ValueRule<>() {
            @Override
            public String expected() {
                return "one of " + words;
            }

            @Override
            public @Nullable T read(ConfigNode node, String path, Problems problems) {
                if (!(node instanceof ConfigNode.Text text)) {
                    problems.add(path, node + " " + node.kind() + "; expected " + expected());
                    return null;
                }
                T choice = choices.get(text.value());
                if (choice == null) {
                    String question = Suggestion.of(text.value(), words).question();
                    problems.add(
                            path,
                            "unknown " + noun + " " + node + question + "; available: " + words);
                }
                return choice;
            }
        };
    }

    /** One of an enum's constants by its key. */
    static <T> ValueRule<T> choice(String noun, T[] values, Function<T, String> key) {
        Map<String, T> choices = new LinkedHashMap<>();
        Arrays.stream(values).forEach(value -> choices.put(key.apply(value), value));
        return choice(noun, choices);
    }

    /** One of a few words that stay strings. */
    static ValueRule<String> word(String noun, String... words) {
        return choice(noun, words, word -> word);
    }
}
