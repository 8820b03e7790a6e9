package org.nni4j.algorithms.pairs;

import ai.djl.MalformedModelException;
import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.nni4j.algorithms.pairs.RandomPair.Outcome;

/** Runs {@link RandomPair}s of many seeds, and counts how they ended. */
final class RandomPairs {

    private static final int REPORTED = 500;

    private final Map<String, Integer> outcomes = new TreeMap<>();
    private final List<String> failures = new ArrayList<>();
    private int quantized;

    private RandomPairs() {}

    /** Runs the seeds from one up to another, which is not run; prints where it is. */
    static RandomPairs run(long from, long to) throws IOException {
        RandomPairs pairs = new RandomPairs();
        for (long seed = from; seed < to; seed++) {
            pairs.run(seed);
            if ((seed + 1 - from) % REPORTED == 0 || seed + 1 == to) {
                System.out.println("seeds " + from + ".." + seed + ": " + pairs);
            }
        }
        return pairs;
    }

    private void run(long seed) throws IOException {
        RandomPair pair = new RandomPair(seed);
        Path folder = Files.createTempDirectory("nni4j-pair");
        try {
            Outcome outcome = pair.run(folder);
            quantized += outcome == Outcome.QUANTIZED ? 1 : 0;
            outcomes.merge(pair.algorithm() + " " + outcome, 1, Integer::sum);
        } catch (RuntimeException | AssertionError | MalformedModelException e) {
            failures.add(pair + ": " + e);
            System.out.println("FAILED " + pair);
            e.printStackTrace(System.out);
        } finally {
            MoreFiles.deleteRecursively(folder, RecursiveDeleteOption.ALLOW_INSECURE);
        }
    }

    /** What failed, with its seed. */
    List<String> failures() {
        return failures;
    }

    /** How many were quantized, exported and restored. */
    int quantized() {
        return quantized;
    }

    @Override
    public String toString() {
        return failures.size() + " failures, " + outcomes;
    }
}
