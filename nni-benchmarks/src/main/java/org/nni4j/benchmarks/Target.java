package org.nni4j.benchmarks;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How a figure is held against what was asked of it. */
final class Target {

    private Target() {}

    /** Returns the table's cell; empty if nothing was asked. */
    static String text(double value, @Nullable Double target) {
        return target == null
                ? ""
                : String.format(Locale.ROOT, "%.2f %s", target, value <= target ? "met" : "missed");
    }
}
