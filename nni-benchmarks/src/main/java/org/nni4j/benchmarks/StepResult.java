package org.nni4j.benchmarks;

import java.util.Locale;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * What a training step costs.
 *
 * @param network the network
 * @param variant how it is trained
 * @param rounds how often each variant's step was measured
 * @param milliseconds the median step
 * @param ratio the median step over the float network's median step
 * @param pairedLower the lower quartile of the ratio within a round
 * @param pairedUpper the upper quartile
 * @param target what the ratio should be at most; null if nothing is asked of it
 */
record StepResult(
        String network,
        String variant,
        int rounds,
        double milliseconds,
        double ratio,
        double pairedLower,
        double pairedUpper,
        @Nullable Double target) {

    /**
     * Sums up the times of one variant.
     *
     * @param times nanoseconds by round
     * @param floats those of the float network
     */
    static StepResult of(Task task, Variant variant, double[] times, double[] floats) {
        double[] ratios = new double[times.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = times[i] / floats[i];
        }
        double median = new Times(times).median();
        Times paired = new Times(ratios);
        OptionalDouble target = variant.target(task);
        return new StepResult(
                task.title(),
                variant.title(),
                times.length,
                median / 1e6,
                median / new Times(floats).median(),
                paired.quantile(0.25),
                paired.quantile(0.75),
                target.isPresent() ? target.getAsDouble() : null);
    }

    static String heading() {
        return "| network | step | rounds | ms | ratio | quartiles of the ratio | target |\n"
                + "|---|---|---|---|---|---|---|";
    }

    String row() {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %d | %.1f | %.2f | %.2f–%.2f | %s |",
                network,
                variant,
                rounds,
                milliseconds,
                ratio,
                pairedLower,
                pairedUpper,
                Target.text(ratio, target));
    }
}
