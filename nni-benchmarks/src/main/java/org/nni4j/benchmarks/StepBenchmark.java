package org.nni4j.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Times training steps of several variants of one network, interleaved: each round takes one step
 * of each, in a new random order.
 *
 * <p>Not JMH: it measures one benchmark after the other, each in a process of its own, so that a
 * machine that slows down in between looks like a difference between the two. Here a disturbance
 * meets all variants alike, and the ratio within a round is free of slow drift.
 */
final class StepBenchmark {

    /** Enough for the JVM's second compiler, which takes up a method after 10,000 calls. */
    private static final int SMALL_STEPS = 300;

    private final Effort effort;
    private final int seed;

    /**
     * Makes a benchmark.
     *
     * @param effort how many rounds
     * @param seed decides weights, data and order
     */
    StepBenchmark(Effort effort, int seed) {
        this.effort = effort;
        this.seed = seed;
    }

    /** Measures one network. */
    List<StepResult> run(Task task, List<Variant> variants) {
        Map<Variant, TrainingRun> runs = new EnumMap<>(Variant.class);
        try {
            for (Variant variant : variants) {
                TrainingRun run = new TrainingRun(task, variant, seed);
                runs.put(variant, run);
                run.warmUp(SMALL_STEPS);
            }
            Map<Variant, double[]> times = measure(runs, effort.rounds() * task.repetitions());
            double[] floats = times.getOrDefault(Variant.FLOAT, new double[0]);
            return variants.stream()
                    .map(v -> StepResult.of(task, v, times.getOrDefault(v, floats), floats))
                    .toList();
        } finally {
            runs.values().forEach(TrainingRun::close);
        }
    }

    private Map<Variant, double[]> measure(Map<Variant, TrainingRun> runs, int rounds) {
        Map<Variant, double[]> times = new EnumMap<>(Variant.class);
        runs.keySet().forEach(v -> times.put(v, new double[rounds]));
        List<Map.Entry<Variant, TrainingRun>> order = new ArrayList<>(runs.entrySet());
        Random random = new Random(seed);
        for (int i = -effort.warmUp(); i < rounds; i++) {
            Collections.shuffle(order, random);
            for (Map.Entry<Variant, TrainingRun> entry : order) {
                long time = entry.getValue().step();
                double[] measured = times.get(entry.getKey());
                if (i >= 0 && measured != null) {
                    measured[i] = time;
                }
            }
        }
        return times;
    }
}
