package org.nni4j.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;

/**
 * What a kernel costs on 16 MiB, forward and backward.
 *
 * @param operation what is done
 * @param kernels by which implementation
 * @param milliseconds the median
 * @param copies the median over that of a plain copy
 * @param target what {@code copies} should be at most; null if nothing is asked of it
 */
record KernelResult(
        String operation,
        String kernels,
        double milliseconds,
        double copies,
        @Nullable Double target) {

    private static final double TARGET = 2.5;

    /** Measures all of them. */
    static List<KernelResult> measure(JmhRun jmh) throws RunnerException {
        String[] operations =
                Arrays.stream(KernelOperation.values()).map(Enum::name).toArray(String[]::new);
        String[] quantizing = Arrays.copyOfRange(operations, 1, operations.length);
        Map<RunResult, String> runs = new LinkedHashMap<>();
        jmh.kernels("fused", operations).forEach(run -> runs.put(run, "fused"));
        jmh.kernels("ndarray", quantizing).forEach(run -> runs.put(run, "ndarray"));
        double copy =
                runs.keySet().stream()
                        .filter(run -> operation(run) == KernelOperation.COPY)
                        .mapToDouble(JmhRun::median)
                        .findFirst()
                        .orElseThrow();
        List<KernelResult> results = new ArrayList<>();
        runs.forEach((run, kernels) -> results.add(of(run, kernels, copy)));
        return results;
    }

    private static KernelResult of(RunResult run, String kernels, double copy) {
        KernelOperation operation = operation(run);
        boolean asked = operation == KernelOperation.FAKE_QUANTIZE && kernels.equals("fused");
        double median = JmhRun.median(run);
        return new KernelResult(
                operation.title(),
                operation == KernelOperation.COPY ? "" : kernels,
                median,
                median / copy,
                asked ? TARGET : null);
    }

    private static KernelOperation operation(RunResult run) {
        return KernelOperation.valueOf(run.getParams().getParam("operation"));
    }

    static String heading() {
        return "| operation | kernels | ms | copies | target |\n|---|---|---|---|---|";
    }

    String row() {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %.2f | %.2f | %s |",
                operation,
                kernels,
                milliseconds,
                copies,
                Target.text(copies, target));
    }
}
