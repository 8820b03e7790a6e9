package org.nni4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A process that trains a few steps and prints its resident memory before them and at most. */
final class MemoryProbe {

    /** Where Linux tells a process about itself. */
    static final Path STATUS = Path.of("/proc/self/status");

    private MemoryProbe() {}

    /**
     * Prints two numbers of KiB.
     *
     * @param args network, variant, steps, seed
     */
    public static void main(String[] args) throws IOException {
        try (TrainingRun run =
                new TrainingRun(
                        Task.valueOf(args[0]),
                        Variant.valueOf(args[1]),
                        Integer.parseInt(args[3]))) {
            long before = kibibytes("VmRSS:");
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                run.step();
            }
            System.out.println(before + " " + kibibytes("VmHWM:"));
        }
    }

    private static long kibibytes(String field) throws IOException {
        try (Stream<String> lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith(field))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
