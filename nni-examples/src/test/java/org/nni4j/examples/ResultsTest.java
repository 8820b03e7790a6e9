package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the accuracies in docs/results.md to the logs of the runs that gave them. */
class ResultsTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final Pattern LOG = Pattern.compile("\\(runs/([a-z0-9-]+\\.log)\\)");
    private static final int COLUMNS = 11;

    /** A row of a table: its cells, and the log it names. */
    record Row(List<String> cells, Path log) {
        @Override
        public String toString() {
            return String.valueOf(log.getFileName());
        }
    }

    static List<Row> rows() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(DOCS.resolve("results.md"))) {
            Matcher log = LOG.matcher(line);
            List<String> cells = Arrays.stream(line.split("\\|")).map(String::strip).toList();
            if (line.startsWith("|") && cells.size() == COLUMNS + 1 && log.find()) {
                rows.add(
                        new Row(
                                cells.subList(1, cells.size()),
                                DOCS.resolve("runs").resolve(log.group(1))));
            }
        }
        return rows;
    }

    @Test
    void rows_areThoseOfBothTables() throws IOException {
        assertThat(rows()).hasSizeGreaterThanOrEqualTo(19);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void row_saysWhatItsLogSays(Row row) throws IOException {
        List<String> lines = Files.readAllLines(row.log());
        List<String> cells = row.cells();
        String options = cells.get(10).replace("`", "");
        List<String> command = List.of(lines.get(0).split(" "));
        for (String option : options.split(" ")) {
            if (option.startsWith("-") && !option.equals("-e")) {
                assertThat(command).contains(option);
            }
        }
        String last = lines.get(lines.size() - 1);
        if (!last.startsWith("{")) {
            // what --onnx prints is not one line
            assertThat(lines).anyMatch(line -> line.contains(cells.get(4) + " %"));
            return;
        }
        JsonObject report = JsonParser.parseString(last).getAsJsonObject();
        assertThat(cells.get(0)).startsWith(report.get("algorithm").getAsString());
        assertThat(cells.get(2)).isEqualTo(report.get("epochs").getAsString());
        assertThat(cells.get(4)).isEqualTo(percent(report, "quantized_accuracy"));
        assertThat(whole(cells.get(6))).isEqualTo(report.get("float_bytes").getAsString());
        assertThat(whole(cells.get(7))).isEqualTo(report.get("quantized_bytes").getAsString());
        if (!cells.get(3).equals("–")) {
            assertThat(cells.get(3)).isEqualTo(percent(report, "float_accuracy"));
            assertThat(cells.get(5)).isEqualTo(percent(report, "drop_points"));
        }
        double minutes = Double.parseDouble(cells.get(8).split(" ")[0]);
        assertThat(minutes * 60)
                .isBetween(seconds(report) - 3, seconds(report) + 3); // a tenth of a minute
    }

    private static double seconds(JsonObject report) {
        return report.get("seconds").getAsDouble();
    }

    private static String percent(JsonObject report, String figure) {
        return String.format(Locale.ROOT, "%.2f", report.get(figure).getAsDouble());
    }

    private static String whole(String number) {
        return number.replace(",", "");
    }

    static List<Path> logs() throws IOException {
        try (Stream<Path> files = Files.list(DOCS.resolve("runs"))) {
            return files.filter(file -> file.toString().endsWith(".log")).toList();
        }
    }

    /** A log that no page shows is of no use to anybody. */
    @ParameterizedTest
    @MethodSource("logs")
    void log_isNamedByAPage(Path log) throws IOException {
        String link = "runs/" + log.getFileName();
        try (Stream<Path> pages = Files.walk(DOCS)) {
            assertThat(pages.filter(page -> page.toString().endsWith(".md")))
                    .anyMatch(page -> contains(page, link));
        }
    }

    private static boolean contains(Path page, String text) {
        try {
            return Files.readString(page).contains(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
