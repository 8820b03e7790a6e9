package org.nni4j.export.runtime;

import java.util.ArrayList;
import java.util.List;

/**
 * How long something takes.
 *
 * @param median milliseconds
 * @param best milliseconds of the fastest run, which other programs disturbed least
 * @param runs how many were measured
 */
public record Timing(double median, double best, int runs) {

    private static final int LEAST_TURNS = 5;
    private static final long TURN_NANOS = 66_000_000;

    /**
     * Measures several things in turn, so that what disturbs the machine meanwhile disturbs all of
     * them alike. In its turn each runs for a fifteenth of a second or once; the first run of a
     * longer turn is not counted, since the threads of the one before may still be spinning.
     *
     * @param tasks what to measure
     * @param seconds for all of them together; each has five turns all the same
     * @return a timing each
     */
    public static List<Timing> interleaved(List<Runnable> tasks, double seconds) {
        List<List<Long>> nanos =
                tasks.stream().map(t -> (List<Long>) new ArrayList<Long>()).toList();
        // Twice each, to warm up.
        tasks.forEach(Runnable::run);
        tasks.forEach(Runnable::run);
        long begin = System.nanoTime();
        for (int turn = 0;
                turn < LEAST_TURNS || System.nanoTime() - begin < seconds * 1e9;
                turn++) {
            for (int i = 0; i < nanos.size(); i++) {
                nanos.get(i).addAll(turn(tasks.get(i)));
            }
        }
        return nanos.stream().map(Timing::of).toList();
    }

    private static List<Long> turn(Runnable task) {
        List<Long> nanos = new ArrayList<>();
        long begin = System.nanoTime();
        do {
            long start = System.nanoTime();
            task.run();
            nanos.add(System.nanoTime() - start);
        } while (System.nanoTime() - begin < TURN_NANOS);
        return nanos.size() == 1 ? nanos : nanos.subList(1, nanos.size());
    }

    private static Timing of(List<Long> measured) {
        long[] nanos = measured.stream().mapToLong(Long::longValue).sorted().toArray();
        int middle = nanos.length / 2;
        double median =
                nanos.length % 2 == 1
                        ? nanos[middle]
                        : (nanos[middle - 1] + (double) nanos[middle]) / 2;
        return new Timing(median / 1e6, nanos[0] / 1e6, nanos.length);
    }
}
