package org.nni4j.benchmarks;

import ai.djl.pytorch.jni.JniUtils;
import com.google.gson.Gson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Where the engine spends a step: PyTorch's profiler, summed up by operator. Time inside an
 * operator that it calls counts for the inner one.
 */
final class OperatorProfile {

    private static final int STEPS = 5;

    /** Shares of the float step below which an operator is not worth a line. */
    private static final double LEAST = 0.01;

    private record Event(String name, double ts, double dur, int tid) {
        double end() {
            return ts + dur;
        }
    }

    private OperatorProfile() {}

    /**
     * Profiles a few steps of each variant.
     *
     * @return a table: milliseconds a step by operator and variant
     */
    static String of(Task task, List<Variant> variants, Effort effort, int seed)
            throws IOException {
        Map<String, double[]> rows = new TreeMap<>();
        for (int i = 0; i < variants.size(); i++) {
            int column = i;
            int columns = variants.size();
            profile(task, variants.get(i), effort, seed)
                    .forEach(
                            (name, ms) ->
                                    rows.computeIfAbsent(name, n -> new double[columns])[column] =
                                            ms);
        }
        return table(task, variants, rows);
    }

    private static Map<String, Double> profile(Task task, Variant variant, Effort effort, int seed)
            throws IOException {
        Path file = Files.createTempFile("nni4j-profile", ".json");
        try (TrainingRun run = new TrainingRun(task, variant, seed)) {
            for (int i = 0; i < effort.warmUp(); i++) {
                run.step();
            }
            JniUtils.startProfile(false, false, false);
            for (int i = 0; i < STEPS; i++) {
                run.step();
            }
            JniUtils.stopProfile(file.toString());
            Event[] events = new Gson().fromJson(Files.readString(file), Event[].class);
            return selfTimes(events);
        } finally {
            Files.delete(file);
        }
    }

    /** Sums up milliseconds a step by name. */
    private static Map<String, Double> selfTimes(Event[] events) {
        Map<String, Double> times = new TreeMap<>();
        Deque<Event> open = new ArrayDeque<>();
        Stream<Event> sorted =
                Arrays.stream(events)
                        .sorted(
                                Comparator.comparingInt(Event::tid)
                                        .thenComparingDouble(Event::ts)
                                        .thenComparing(
                                                Comparator.comparingDouble(Event::dur).reversed()));
        for (Event event : sorted.toList()) {
            while (!open.isEmpty()
                    && (open.peek().tid() != event.tid() || open.peek().end() <= event.ts())) {
                open.pop();
            }
            times.merge(event.name(), event.dur() / 1000 / STEPS, Double::sum);
            if (!open.isEmpty()) {
                times.merge(open.peek().name(), -event.dur() / 1000 / STEPS, Double::sum);
            }
            open.push(event);
        }
        return times;
    }

    private static String table(Task task, List<Variant> variants, Map<String, double[]> rows) {
        StringBuilder text = new StringBuilder("| " + task.title() + ", ms a step |");
        variants.forEach(v -> text.append(' ').append(v.title()).append(" |"));
        text.append("\n|---|").append("---|".repeat(variants.size()));
        double[] total = new double[variants.size()];
        rows.values().forEach(row -> Arrays.setAll(total, i -> total[i] + row[i]));
        double[] rest = total.clone();
        rows.entrySet().stream()
                .filter(row -> Arrays.stream(row.getValue()).max().orElse(0) >= LEAST * total[0])
                .sorted(
                        Comparator.comparingDouble(
                                row -> -Arrays.stream(row.getValue()).max().orElse(0)))
                .forEach(
                        row -> {
                            text.append(line("`" + row.getKey() + "`", row.getValue()));
                            Arrays.setAll(rest, i -> rest[i] - row.getValue()[i]);
                        });
        return text.append(line("all others", rest)).append(line("sum", total)).toString();
    }

    private static String line(String name, double[] values) {
        StringBuilder line = new StringBuilder("\n| " + name + " |");
        for (double value : values) {
            line.append(String.format(Locale.ROOT, " %.2f |", value));
        }
        return line.toString();
    }
}
