package org.nni4j.algorithms.pairs;

import ai.djl.MalformedModelException;
import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs {@link RandomPair}s of many seeds.
 *
 * <p>As a command: {@code RandomPairs FROM TO}, from one seed up to another one, which is not run;
 * a run that was cut short goes on where it was by its seeds.
 */
public final class RandomPairs {

    private static final int REPORTED = 500;

    private final Map<String, Integer> outcomes = new TreeMap<>();
    private int failures;

    private RandomPairs() {}

    /** Runs the command; exits with 1 if a pair failed. */
    public static void main(String[] args) throws IOException {
        System.setProperty("ai.djl.pytorch.num_threads", "1");
        long from = Long.parseLong(args[0]);
        long to = Long.parseLong(args[1]);
        RandomPairs pairs = new RandomPairs();
        for (long seed = from; seed < to; seed++) {
            pairs.run(seed);
            if ((seed + 1 - from) % REPORTED == 0 || seed + 1 == to) {
                System.out.println("seeds " + from + ".." + seed + ": " + pairs);
            }
        }
        System.exit(pairs.failures == 0 ? 0 : 1);
    }

    private void run(long seed) throws IOException {
        RandomPair pair = new RandomPair(seed);
        Path folder = Files.createTempDirectory("nni4j-pair");
        try {
            count(pair.algorithm() + " " + pair.run(folder));
        } catch (RuntimeException | AssertionError | MalformedModelException e) {
            failures++;
            System.out.println("FAILED " + pair);
            e.printStackTrace(System.out);
        } finally {
            MoreFiles.deleteRecursively(folder, RecursiveDeleteOption.ALLOW_INSECURE);
        }
    }

    private void count(String outcome) {
        outcomes.merge(outcome, 1, Integer::sum);
    }

    @Override
    public String toString() {
        return failures + " failures, " + outcomes;
    }
}
