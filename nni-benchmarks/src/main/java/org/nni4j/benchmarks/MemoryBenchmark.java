package org.nni4j.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Measures the peak of resident memory, each variant in a process of its own: a peak cannot be
 * taken back, and what one network frees the allocator keeps for the next.
 */
final class MemoryBenchmark {

    private static final int STEPS = 5;
    private static final double TARGET = 1.5;

    private final int seed;

    MemoryBenchmark(int seed) {
        this.seed = seed;
    }

    /** Tells whether the system can be asked: Linux only. */
    static boolean isSupported() {
        return Files.isReadable(MemoryProbe.STATUS);
    }

    /** Measures one network. */
    List<MemoryResult> run(Task task, List<Variant> variants)
            throws IOException, InterruptedException {
        List<MemoryResult> results = new ArrayList<>();
        double floats = 0;
        for (Variant variant : variants) {
            String[] kibibytes = probe(task, variant).split(" ");
            double peak = Long.parseLong(kibibytes[2]) / 1024.0;
            double step = peak - Long.parseLong(kibibytes[1]) / 1024.0;
            if (variant == Variant.FLOAT) {
                floats = step;
            }
            results.add(
                    new MemoryResult(
                            task.title(),
                            variant.title(),
                            peak,
                            Long.parseLong(kibibytes[0]) / 1024.0,
                            step,
                            step / floats,
                            target(variant)));
        }
        return results;
    }

    private static @Nullable Double target(Variant variant) {
        return variant == Variant.QAT ? TARGET : null;
    }

    private String probe(Task task, Variant variant) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        // A heap of fixed size: what it takes is no business of the step's.
        Collections.addAll(command, "-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch");
        Collections.addAll(command, Machine.jvmOptions());
        Collections.addAll(command, "-classpath", System.getProperty("java.class.path"));
        command.add(MemoryProbe.class.getName());
        Collections.addAll(command, task.name(), variant.name());
        Collections.addAll(command, String.valueOf(STEPS), String.valueOf(seed));
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String output =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        if (process.waitFor() != 0 || !output.matches("\\d+ \\d+ \\d+")) {
            throw new IllegalStateException(
                    String.format(
                            "memory of %s, %s: exit code %d, \"%s\"",
                            task, variant, process.exitValue(), output));
        }
        return output;
    }
}
