package org.nni4j.benchmarks;

import java.util.Collection;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs JMH from within the process, with this process's settings handed on. */
record JmhRun(Effort effort) {

    private static final int MILLISECONDS = 200;
    private static final int WARM_UP = 2;

    /** Times one implementation of the kernels. */
    Collection<RunResult> kernels(String kernels, String... operations) throws RunnerException {
        return run(
                options(KernelBenchmark.class)
                        .param("kernels", kernels)
                        .param("operation", operations)
                        .warmupIterations(WARM_UP)
                        .warmupTime(TimeValue.milliseconds(MILLISECONDS))
                        .measurementIterations(effort.kernelIterations())
                        .measurementTime(TimeValue.milliseconds(MILLISECONDS)));
    }

    /** Times what is done once for a network. */
    Collection<RunResult> scaling() throws RunnerException {
        return run(
                options(ScalingBenchmark.class)
                        .warmupIterations(WARM_UP)
                        .measurementIterations(effort.shots()));
    }

    private ChainedOptionsBuilder options(Class<?> benchmark) {
        return new OptionsBuilder()
                .include(benchmark.getName() + "\\.")
                .forks(effort.forks())
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .jvmArgsAppend(Machine.jvmOptions());
    }

    private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
        return new Runner(options.build()).run();
    }

    /** Returns the median of all that was measured, in the benchmark's unit. */
    static double median(RunResult result) {
        return result.getPrimaryResult().getStatistics().getPercentile(50);
    }
}
