package org.nni4j.config;

/**
 * Bounds the time and memory that reading a tree takes, whatever comes in.
 *
 * <p>Maps need the bounds as much as files do: a map may contain itself.
 */
final class TreeBudget {

    /** Levels of nesting; a valid list needs three. */
    static final int DEEPEST = 8;

    /** Values in a config list, all levels together. */
    static final int MOST_VALUES = 200_000;

    /** Characters of a number. */
    static final int LONGEST_NUMBER = 64;

    private final String root;
    private final int mostValues;
    private int values;

    /** The budget of a config list. */
    TreeBudget() {
        this("config", MOST_VALUES);
    }

    /** The budget of something else, which messages call by its root. */
    TreeBudget(String root, int mostValues) {
        this.root = root;
        this.mostValues = mostValues;
    }

    /** Counts one value. */
    void enter(String path, int depth) {
        if (depth > DEEPEST) {
            throw new ConfigException(
                    path, "nested too deep; expected at most " + DEEPEST + " levels");
        }
        if (++values > mostValues) {
            throw new ConfigException(root, "too many values; expected at most " + mostValues);
        }
    }

    /** Checks that a string can be written as UTF-8 again. */
    static String text(String text, String path) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                boolean paired =
                        i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1));
                if (!paired) {
                    throw new ConfigException(
                            path,
                            String.format(
                                    "unpaired surrogate \\u%04x at character %d; expected Unicode"
                                            + " text",
                                    (int) c, i));
                }
                i++;
            }
        }
        return text;
    }

    /** Checks that a number is short enough for exact arithmetic. */
    static ConfigNode.Literal number(String literal, String path) {
        if (literal.length() > LONGEST_NUMBER) {
            throw new ConfigException(
                    path,
                    "a number of "
                            + literal.length()
                            + " characters; expected at most "
                            + LONGEST_NUMBER);
        }
        return new ConfigNode.Literal(literal);
    }
}
