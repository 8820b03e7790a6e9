package org.nni4j.export.verification;

/**
 * How two sets of integers compare.
 *
 * @param elements how many were compared
 * @param oneStep how many are one step apart
 * @param more how many are further apart
 * @param most the largest distance, in steps
 */
public record CodeComparison(long elements, long oneStep, long more, int most) {

    static final CodeComparison NONE = new CodeComparison(0, 0, 0, 0);

    static CodeComparison of(int[] one, int[] other) {
        long oneStep = 0;
        long more = 0;
        int most = 0;
        for (int i = 0; i < one.length; i++) {
            int distance = Math.abs(one[i] - other[i]);
            oneStep += distance == 1 ? 1 : 0;
            more += distance > 1 ? 1 : 0;
            most = Math.max(most, distance);
        }
        return new CodeComparison(one.length, oneStep, more, most);
    }

    CodeComparison plus(CodeComparison other) {
        return new CodeComparison(
                elements + other.elements,
                oneStep + other.oneStep,
                more + other.more,
                Math.max(most, other.most));
    }

    /**
     * Returns the share of those that are not equal.
     *
     * @return 0..1
     */
    public double differing() {
        return elements == 0 ? 0 : (oneStep + more) / (double) elements;
    }

    @Override
    public String toString() {
        return String.format(
                java.util.Locale.ROOT,
                "%,d integers, %,d one step apart (%.4f %%), %,d further, at most %d",
                elements,
                oneStep,
                elements == 0 ? 0 : 100.0 * oneStep / elements,
                more,
                most);
    }
}
