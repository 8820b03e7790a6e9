package org.nni4j.benchmarks;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What training takes of memory.
 *
 * @param network the network
 * @param variant how it is trained
 * @param peak the most the process held, in MiB
 * @param once what the first fused kernel added to it, for TorchScript's compiler, in MiB
 * @param step the most it held over what it did before the first step, in MiB
 * @param ratio {@code step} over that of the float network
 * @param target what the ratio should be at most; null if nothing is asked of it
 */
record MemoryResult(
        String network,
        String variant,
        double peak,
        double once,
        double step,
        double ratio,
        @Nullable Double target) {

    static String heading() {
        return "| network | step | process, MiB | once, MiB | step, MiB | ratio | target |\n"
                + "|---|---|---|---|---|---|---|";
    }

    String row() {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %.0f | %.0f | %.0f | %.2f | %s |",
                network,
                variant,
                peak,
                once,
                step,
                ratio,
                Target.text(ratio, target));
    }
}
