package org.nni4j.export.runtime;

import java.util.Arrays;
import java.util.List;

/**
 * How long something takes.
 *
 * @param median milliseconds
 * @param best milliseconds of the fastest run, which other programs disturbed least
 * @param runs how many were measured
 */
public record Timing(double median, double best, int runs) {

    private static final int MOST_RUNS = 2_000;
    private static final int LEAST_RUNS = 5;

    /**
     * Measures several things in turn, so that what disturbs the machine meanwhile disturbs all of
     * them alike. Each is first run for a tenth of its time, to warm up.
     *
     * @param tasks what to measure
     * @param seconds for all of them together; each runs at least five times all the same
     * @return a timing each, all of as many runs
     */
    public static List<Timing> interleaved(List<Runnable> tasks, double seconds) {
        long warm = (long) (seconds / 10 * 1e9);
        long begin = System.nanoTime();
        do {
            tasks.forEach(Runnable::run);
        } while (System.nanoTime() - begin < warm);
        long[][] nanos = new long[tasks.size()][MOST_RUNS];
        int runs = 0;
        begin = System.nanoTime();
        while (runs < LEAST_RUNS
                || (runs < MOST_RUNS && System.nanoTime() - begin < seconds * 0.9e9)) {
            for (int i = 0; i < nanos.length; i++) {
                long start = System.nanoTime();
                tasks.get(i).run();
                nanos[i][runs] = System.nanoTime() - start;
            }
            runs++;
        }
        int count = runs;
        return Arrays.stream(nanos).map(n -> of(Arrays.copyOf(n, count))).toList();
    }

    private static Timing of(long[] nanos) {
        Arrays.sort(nanos);
        int middle = nanos.length / 2;
        double median =
                nanos.length % 2 == 1
                        ? nanos[middle]
                        : (nanos[middle - 1] + (double) nanos[middle]) / 2;
        return new Timing(median / 1e6, nanos[0] / 1e6, nanos.length);
    }
}
