package org.nni4j.benchmarks;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Measures what quantization costs, prints tables and writes them as JSON; see {@code --help}. */
@Command(
        name = "benchmarks",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Measures what quantization costs, and prints a table.",
        mixinStandardHelpOptions = true)
public final class Benchmarks implements Callable<Integer> {

    @Option(
            names = "--networks",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Networks whose steps are timed: ${COMPLETION-CANDIDATES} (default: all).")
    private List<Task> tasks = List.of(Task.values());

    @Option(
            names = "--variants",
            split = ",",
            paramLabel = "NAME",
            description = "Ways to train, beside float: ${COMPLETION-CANDIDATES} (default: all).")
    private List<Variant> variants = List.of(Variant.values());

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "Steps measured of each way (default: ${DEFAULT-VALUE}).")
    private int rounds = 40;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "Steps of each way before them (default: ${DEFAULT-VALUE}).")
    private int warmUp = 5;

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

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there.")
    private @Nullable Path json;

    private final PrintStream out;

    private Benchmarks(PrintStream out) {
        this.out = out;
    }

    /** Everything measured, as it is written. */
    private record Figures(Machine machine, int seed, List<StepResult> steps) {}

    /**
     * Runs the benchmarks and exits: 0 if all went well, 2 if the input was bad.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        CommandLine line = new CommandLine(new Benchmarks(System.out));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        System.exit(line.execute(args));
    }

    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || warmUp < 2 || threads < 1) {
            System.err.println(
                    "error: --rounds and --threads must be at least 1, --warm-up at least 2");
            return ExitCode.USAGE;
        }
        System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
        Machine machine = Machine.current();
        out.println(machine);
        out.printf("%nTraining steps, medians of %d rounds, seed %d%n%n", rounds, seed);
        out.println(StepResult.heading());
        List<StepResult> steps = new ArrayList<>();
        for (Task task : tasks) {
            List<StepResult> results =
                    new StepBenchmark(rounds, warmUp, seed).run(task, chosen(task));
            results.forEach(result -> out.println(result.row()));
            steps.addAll(results);
        }
        if (json != null) {
            write(json, new Figures(machine, seed, steps));
        }
        return ExitCode.OK;
    }

    private List<Variant> chosen(Task task) {
        return Variant.of(task).stream()
                .filter(v -> v == Variant.FLOAT || variants.contains(v))
                .toList();
    }

    private static void write(Path file, Figures figures) throws IOException {
        String text =
                new GsonBuilder()
                        .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
                        .setPrettyPrinting()
                        .create()
                        .toJson(figures);
        Files.writeString(file, text + System.lineSeparator());
    }
}
