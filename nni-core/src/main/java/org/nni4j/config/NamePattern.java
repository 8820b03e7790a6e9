package org.nni4j.config;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression for layer paths that always answers soon.
 *
 * <p>Java's matcher backtracks: {@code (.*a){20}b} takes longer than a life on a hundred letters.
 * This one counts the characters it looks at and gives up with an error.
 */
public final class NamePattern {

    /** Hundreds of times what a readable pattern needs on the longest path; a few milliseconds. */
    private static final int MOST_STEPS = 1_000_000;

    private final Pattern pattern;

    private NamePattern(Pattern pattern) {
        this.pattern = pattern;
    }

    /**
     * Compiles a pattern.
     *
     * @param regex in the syntax of {@link Pattern}
     * @return the pattern
     * @throws PatternSyntaxException if it is none
     */
    public static NamePattern of(String regex) {
        return new NamePattern(Pattern.compile(regex));
    }

    /**
     * Matches a whole path.
     *
     * @param name the layer's path
     * @return whether all of it matches
     * @throws ConfigException if the pattern needs too many steps
     */
    public boolean matches(String name) {
        try {
            return pattern.matcher(new Counted(name, 0, name.length(), new int[1])).matches();
        } catch (TooManyStepsException | StackOverflowError e) {
            throw new ConfigException(
                    EntryKey.OP_NAMES_RE,
                    MessageText.quote(pattern.pattern())
                            + " takes too long on "
                            + MessageText.quote(name)
                            + "; expected a simpler pattern");
        }
    }

    /** Shows the regular expression. */
    @Override
    public String toString() {
        return pattern.pattern();
    }

    private static final class TooManyStepsException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooManyStepsException() {
            super(null, null, false, false);
        }
    }

    /** Counts how often the matcher looks; parts share one counter. */
    private record Counted(String text, int start, int end, int[] steps) implements CharSequence {

        @Override
        public int length() {
            return end - start;
        }

        @Override
        public char charAt(int index) {
            if (++steps[0] > MOST_STEPS) {
                throw new TooManyStepsException();
            }
            return text.charAt(start + index);
        }

        @Override
        public CharSequence subSequence(int from, int to) {
            return new Counted(text, start + from, start + to, steps);
        }

        @Override
        public String toString() {
            return text.substring(start, end);
        }
    }
}
