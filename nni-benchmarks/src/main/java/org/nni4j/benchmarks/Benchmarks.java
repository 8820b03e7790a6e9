package org.nni4j.benchmarks;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.RunnerException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Measures what quantization costs, prints tables and writes them as JSON; see {@code --help}. */
@Command(
        name = "benchmarks",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Measures what quantization costs, and prints tables of medians.",
        mixinStandardHelpOptions = true)
public final class Benchmarks implements Callable<Integer> {

    /** What can be measured. */
    enum Part {
        STEPS,
        KERNELS,
        SCALING,
        MEMORY,
        PROFILE
    }

    @Option(
            names = "--parts",
            split = ",",
            paramLabel = "NAME",
            description = "What is measured: ${COMPLETION-CANDIDATES} (default: all but PROFILE).")
    private List<Part> parts = List.of(Part.STEPS, Part.KERNELS, Part.SCALING, Part.MEMORY);

    @Option(names = "--quick", description = "A few minutes in all.")
    private boolean quick;

    @Option(
            names = "--networks",
            split = ",",
            paramLabel = "NAME",
            description = "For steps and memory: ${COMPLETION-CANDIDATES} (default: all).")
    private List<Task> tasks = List.of(Task.values());

    @Option(
            names = "--variants",
            split = ",",
            paramLabel = "NAME",
            description = "Likewise, beside float: ${COMPLETION-CANDIDATES} (default: all).")
    private List<Variant> variants = List.of(Variant.values());

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description =
                    "Steps measured of each variant, ten times as many of LeNet"
                            + " (default: 40, with --quick 15).")
    private @Nullable Integer rounds;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of the engine within an operator (default: all cores).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides weights, data and order (default: ${DEFAULT-VALUE}).")
    private int seed = 1;

    @Option(
            names = "--give-back-memory",
            description =
                    "Lets the C library give freed memory back to the system, as it does where"
                            + " nobody calls NativeHeap.keepFreedMemory().")
    private boolean giveBackMemory;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there.")
    private @Nullable Path json;

    private final PrintStream out;
    private final PrintStream messages;

    private Benchmarks(PrintStream out, PrintStream messages) {
        this.out = out;
        this.messages = messages;
    }

    /**
     * Runs the benchmarks and exits: 0 if all went well, 2 if the input was bad.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        CommandLine line = new CommandLine(new Benchmarks(System.out, System.err));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        System.exit(line.execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException, RunnerException {
        if (threads < 1 || (rounds != null && rounds < 1)) {
            messages.println("error: --rounds and --threads must be at least 1");
            return ExitCode.USAGE;
        }
        System.setProperty(Machine.THREADS, String.valueOf(threads));
        System.setProperty(Machine.KEEP_MEMORY, String.valueOf(!giveBackMemory));
        Map<String, Object> figures = new LinkedHashMap<>();
        Machine machine = Machine.current();
        out.println(machine);
        figures.put("machine", machine);
        figures.put("seed", seed);
        figures.put("effort", effort());
        for (Part part : parts) {
            out.println();
            switch (part) {
                case STEPS -> figures.put("steps", steps());
                case KERNELS -> figures.put("kernels", kernels());
                case SCALING -> figures.put("scaling", scaling());
                case MEMORY -> figures.put("memory", memory());
                case PROFILE -> profile();
            }
        }
        if (json != null) {
            write(json, figures);
        }
        return ExitCode.OK;
    }

    private Effort effort() {
        Effort effort = quick ? Effort.QUICK : Effort.FULL;
        return rounds == null ? effort : effort.withRounds(rounds);
    }

    private List<StepResult> steps() {
        out.println(StepResult.heading());
        List<StepResult> all = new ArrayList<>();
        for (Task task : tasks) {
            List<StepResult> results = new StepBenchmark(effort(), seed).run(task, chosen(task));
            results.forEach(result -> out.println(result.row()));
            all.addAll(results);
        }
        return all;
    }

    private List<KernelResult> kernels() throws RunnerException {
        out.println(KernelResult.heading());
        List<KernelResult> results = KernelResult.measure(new JmhRun(effort()));
        results.forEach(result -> out.println(result.row()));
        return results;
    }

    private List<ScalingResult> scaling() throws RunnerException {
        out.println(ScalingResult.heading());
        List<ScalingResult> results = ScalingResult.measure(new JmhRun(effort()));
        results.forEach(result -> out.println(result.row()));
        return results;
    }

    private List<MemoryResult> memory() throws IOException, InterruptedException {
        List<MemoryResult> all = new ArrayList<>();
        if (!MemoryBenchmark.isSupported()) {
            out.println("Peak memory: not measured, as there is no /proc/self/status");
            return all;
        }
        out.println(MemoryResult.heading());
        for (Task task : tasks) {
            List<MemoryResult> results = new MemoryBenchmark(seed).run(task, chosen(task));
            results.forEach(result -> out.println(result.row()));
            all.addAll(results);
        }
        return all;
    }

    private void profile() throws IOException {
        for (Task task : tasks) {
            out.println(OperatorProfile.of(task, chosen(task), effort(), seed));
        }
    }

    private List<Variant> chosen(Task task) {
        return Variant.of(task).stream()
                .filter(v -> v == Variant.FLOAT || variants.contains(v))
                .toList();
    }

    private static void write(Path file, Map<String, Object> figures) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        String text =
                new GsonBuilder()
                        .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
                        .setPrettyPrinting()
                        .create()
                        .toJson(figures);
        Files.writeString(file, text + System.lineSeparator());
    }
}
