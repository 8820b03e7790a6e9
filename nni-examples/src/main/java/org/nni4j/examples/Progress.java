package org.nni4j.examples;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on a stream of text; closing it leaves its last state as a line. */
final class Progress implements AutoCloseable {
    private static final int COLUMNS = 90;
    private static final int INTERVAL_MILLIS = 500;

    private final ProgressBar bar;

    /**
     * Shows a bar.
     *
     * @param out where it is drawn
     * @param task what is being done, a few words
     * @param steps how often {@link #step} will be called
     */
    Progress(PrintStream out, String task, long steps) {
        // a fixed width asks no terminal, which may be absent
        bar =
                new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(steps)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(INTERVAL_MILLIS)
                        .setConsumer(new ConsoleProgressBarConsumer(out, COLUMNS))
                        .build();
    }

    /** One of the announced steps is done. */
    void step() {
        bar.step();
    }

    /** Adds a few words after the bar. */
    void note(String words) {
        bar.setExtraMessage(words);
    }

    @Override
    public void close() {
        bar.close();
    }
}
