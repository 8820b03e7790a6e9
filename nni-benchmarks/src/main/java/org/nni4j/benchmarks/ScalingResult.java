package org.nni4j.benchmarks;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.RunnerException;

/**
 * What is done once for a network, by its size.
 *
 * @param action what is done
 * @param layers linear layers
 * @param milliseconds the median
 * @param target the most it should take, in milliseconds; null if nothing is asked of it
 */
record ScalingResult(String action, int layers, double milliseconds, @Nullable Double target) {

    private static final int MANY = 1000;
    private static final double TARGET = 2000;

    /** Measures all of them. */
    static List<ScalingResult> measure(JmhRun jmh) throws RunnerException {
        return jmh.scaling().stream()
                .map(
                        run -> {
                            String label = run.getParams().getBenchmark();
                            return of(
                                    label.substring(label.lastIndexOf('.') + 1),
                                    Integer.parseInt(run.getParams().getParam("layers")),
                                    JmhRun.median(run));
                        })
                .sorted(
                        Comparator.comparingInt(
                                        (ScalingResult r) ->
                                                ScalingBenchmark.names().indexOf(r.action()))
                                .thenComparingInt(ScalingResult::layers))
                .toList();
    }

    private static ScalingResult of(String action, int layers, double milliseconds) {
        boolean asked = action.startsWith("compress") && layers == MANY;
        return new ScalingResult(action, layers, milliseconds, asked ? TARGET : null);
    }

    static String heading() {
        return "| action | layers | ms | µs a layer | target, ms |\n|---|---|---|---|---|";
    }

    String row() {
        return String.format(
                Locale.ROOT,
                "| `%s` | %d | %.1f | %.0f | %s |",
                action,
                layers,
                milliseconds,
                1000 * milliseconds / layers,
                Target.text(milliseconds, target));
    }
}
