package org.nni4j;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.nni4j.calibration.CalibrationFuzz;
import org.nni4j.checkpoint.CheckpointFuzz;
import org.nni4j.config.ConfigListFuzz;

/**
 * Feeds the readers of files what Jazzer, guided by coverage, makes of valid and hostile seeds.
 *
 * <p>Each reader runs in a JVM of its own with a heap of {@value #HEAP_MIB} MiB; an input that
 * takes longer than {@value #MOST_SECONDS} seconds, needs more memory than there is, or ends in an
 * undocumented way ends the run with the input written to a file.
 */
final class FuzzReaders {

    private static final int HEAP_MIB = 256;

    /** By the clock on the wall, so that other programs on the machine raise no false alarm. */
    private static final int MOST_SECONDS = 20;

    /** Larger inputs are the hand-written tests' business: they only make the fuzzer slow. */
    private static final int LONGEST = 8192;

    /** The classes that read; others need no look, and instrumenting them takes seconds. */
    private static final String READING = "org.nni4j.**:com.google.gson.**";

    private static final Pattern DONE = Pattern.compile("Done (\\d+) (?:runs )?in (\\d+) second");
    private static final Pattern COVERED = Pattern.compile("#\\d+\\s+\\w+\\s+cov: (\\d+)");

    /** Makes the inputs a fuzzer begins with. */
    private interface Seeds {
        List<byte[]> bytes() throws IOException;
    }

    private record Reader(Class<?> target, Seeds seeds) {}

    private static final Map<String, Reader> READERS = readers();

    private FuzzReaders() {}

    private static Map<String, Reader> readers() {
        Map<String, Reader> readers = new LinkedHashMap<>();
        readers.put("config", new Reader(ConfigListFuzz.class, ConfigListFuzz::seeds));
        readers.put("calibration", new Reader(CalibrationFuzz.class, CalibrationFuzz::seeds));
        readers.put("checkpoint", new Reader(CheckpointFuzz.class, CheckpointFuzz::seeds));
        return readers;
    }

    /** The readers' names. */
    static List<String> names() {
        return List.copyOf(READERS.keySet());
    }

    /**
     * What a run did.
     *
     * @param reader the reader's name
     * @param inputs how many inputs it got
     * @param covered branches of the reader that were reached
     * @param seconds how long it took
     * @param exitCode 0 if nothing was found
     * @param log what Jazzer wrote
     */
    record Result(String reader, long inputs, int covered, int seconds, int exitCode, String log) {

        @Override
        public String toString() {
            return String.format(
                    "%s: %d inputs in %d s, %d edges covered, exit code %d",
                    reader, inputs, seconds, covered, exitCode);
        }
    }

    /**
     * Fuzzes one reader.
     *
     * @param runs inputs at most
     * @param seconds time at most
     */
    static Result run(String reader, long runs, int seconds, int seed)
            throws IOException, InterruptedException {
        Reader chosen = READERS.get(reader);
        if (chosen == null) {
            throw new IllegalArgumentException(
                    "unknown reader \"" + reader + "\"; available: " + names());
        }
        Path folder = Files.createTempDirectory("nni4j-fuzz-" + reader);
        try {
            Path corpus = Files.createDirectory(folder.resolve("corpus"));
            int number = 0;
            for (byte[] bytes : chosen.seeds().bytes()) {
                Files.write(corpus.resolve("seed" + number++), bytes);
            }
            Path log = folder.resolve("log");
            Process process =
                    new ProcessBuilder(command(chosen, runs, seconds, seed, corpus))
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start();
            int exitCode = process.waitFor();
            return result(reader, exitCode, Files.readString(log));
        } finally {
            MoreFiles.deleteRecursively(folder, RecursiveDeleteOption.ALLOW_INSECURE);
        }
    }

    private static List<String> command(
            Reader reader, long runs, int seconds, int seed, Path corpus) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx" + HEAP_MIB + "m");
        command.add("-XX:+UseSerialGC");
        if (Runtime.version().feature() >= 24) {
            command.add("--enable-native-access=ALL-UNNAMED");
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        if (Runtime.version().feature() >= 21) {
            command.add("-XX:+EnableDynamicAgentLoading");
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add("com.code_intelligence.jazzer.Jazzer");
        command.add("--target_class=" + reader.target().getName());
        command.add("--instrumentation_includes=" + READING);
        command.add("--custom_hook_includes=" + READING);
        // A config list may hold regular expressions; NamePattern bounds what they cost.
        command.add("--disabled_hooks=com.code_intelligence.jazzer.sanitizers.RegexInjection");
        command.add("--reproducer_path=" + corpus.getParent());
        command.add("-runs=" + runs);
        command.add("-max_total_time=" + seconds);
        command.add("-seed=" + seed);
        command.add("-timeout=" + MOST_SECONDS);
        command.add("-max_len=" + LONGEST);
        command.add("-artifact_prefix=" + Path.of("").toAbsolutePath().resolve("target") + "/");
        command.add(corpus.toString());
        return command;
    }

    private static Result result(String reader, int exitCode, String log) {
        Matcher done = DONE.matcher(log);
        boolean ended = done.find();
        int covered = 0;
        Matcher lines = COVERED.matcher(log);
        while (lines.find()) {
            covered = Integer.parseInt(lines.group(1));
        }
        return new Result(
                reader,
                ended ? Long.parseLong(done.group(1)) : 0,
                covered,
                ended ? Integer.parseInt(done.group(2)) : 0,
                exitCode,
                log);
    }
}
