package org.nni4j.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The valid words nearest to one that is not valid.
 *
 * <p>A candidate is near if few letters must be inserted, dropped, replaced or swapped with their
 * neighbour (at most one in three, upper and lower case being the same), or if it contains the
 * word: {@code conv1} is near {@code features.conv1}. Nothing is suggested if every candidate is
 * far.
 *
 * @param word the word that is not valid
 * @param nearest up to {@value #MOST} candidates, the nearest first
 */
public record Suggestion(String word, List<String> nearest) {

    private static final int MOST = 3;

    /**
     * Words longer than this are no slip of the finger, and the distance costs the product of the
     * lengths.
     */
    private static final int LONGEST = 200;

    /** Shorter words are contained in too much. */
    private static final int SHORTEST_CONTAINED = 3;

    /** Copies the candidates. */
    public Suggestion {
        nearest = List.copyOf(nearest);
    }

    /**
     * Looks for the candidates nearest to a word.
     *
     * @param word the word that is not valid
     * @param candidates the valid words
     * @return the nearest ones; equally near ones in the candidates' order
     */
    public static Suggestion of(String word, Collection<String> candidates) {
        if (word.isBlank() || word.length() > LONGEST) {
            return new Suggestion(word, List.of());
        }
        List<Ranked> near = new ArrayList<>();
        for (String candidate : candidates) {
            int rank = rank(word.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
            if (rank <= LONGEST) {
                near.add(new Ranked(candidate, rank));
            }
        }
        near.sort(Comparator.comparingInt(Ranked::rank));
        return new Suggestion(
                word,
                near.stream()
                        .filter(ranked -> ranked.rank() <= near.get(0).rank() + 1)
                        .map(Ranked::candidate)
                        .limit(MOST)
                        .toList());
    }

    /**
     * Returns the question that follows the word in an error message.
     *
     * @return for instance {@code (did you mean "quant_bits"?)} with a space before it, or empty if
     *     nothing is near
     */
    public String question() {
        if (nearest.isEmpty()) {
            return "";
        }
        return nearest.stream()
                .map(MessageText::quote)
                .collect(Collectors.joining(" or ", " (did you mean ", "?)"));
    }

    private record Ranked(String candidate, int rank) {}

    private static int rank(String word, String candidate) {
        int allowed = Math.max(1, word.length() / 3);
        int distance = distance(word, candidate, allowed);
        if (distance <= allowed) {
            return distance;
        }
        // Ranked behind every slip of the finger.
        boolean contained = word.length() >= SHORTEST_CONTAINED && candidate.contains(word);
        return contained ? allowed + 1 : Integer.MAX_VALUE;
    }

    /**
     * The optimal string alignment distance, or {@code allowed + 1} if it is larger than allowed.
     */
    private static int distance(String a, String b, int allowed) {
        if (Math.abs(a.length() - b.length()) > allowed) {
            return allowed + 1;
        }
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] current = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            current[0] = i;
            int least = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, Math.min(last[j], current[j - 1]) + 1);
                if (swapped(a, b, i, j)) {
                    current[j] = Math.min(current[j], beforeLast[j - 2] + 1);
                }
                least = Math.min(least, current[j]);
            }
            if (least > allowed) {
                return allowed + 1;
            }
            int[] free = beforeLast;
            beforeLast = last;
            last = current;
            current = free;
        }
        return last[b.length()];
    }

    private static boolean swapped(String a, String b, int i, int j) {
        return i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
    }
}
