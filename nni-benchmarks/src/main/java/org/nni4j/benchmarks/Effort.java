package org.nni4j.benchmarks;

/**
 * How often things are measured.
 *
 * @param rounds steps of each variant
 * @param warmUp steps of each variant before them
 * @param forks processes for each JMH benchmark; 0 for none of its own
 * @param kernelIterations fifths of a second in which a kernel is timed
 * @param shots times each thing that is done once is done
 */
record Effort(int rounds, int warmUp, int forks, int kernelIterations, int shots) {

    /** For figures to quote. */
    static final Effort FULL = new Effort(40, 8, 1, 10, 11);

    /** A few minutes in all. */
    static final Effort QUICK = new Effort(15, 4, 0, 4, 5);

    /** Returns the same with another number of rounds. */
    Effort withRounds(int other) {
        return new Effort(other, warmUp, forks, kernelIterations, shots);
    }
}
