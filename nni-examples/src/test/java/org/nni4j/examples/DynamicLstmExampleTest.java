package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DynamicLstmExampleTest {

    @TempDir Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

    private int run(String... args) {
        return DynamicLstmExample.run(stream(out), stream(messages), args);
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    /** Nothing is said of speed: this machine may be busy. */
    @Test
    void json_saysSizesTimesAndDifferences_andWarnsOfTheSmallOne() {
        int code =
                run(
                        "--dimensions",
                        "8,96",
                        "--length",
                        "6",
                        "--threads",
                        "1",
                        "--seconds",
                        "0.2",
                        "--output",
                        folder.toString(),
                        "--json");
        assertThat(code).isZero();
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(2);
        JsonObject small = JsonParser.parseString(lines.get(0)).getAsJsonObject();
        JsonObject large = JsonParser.parseString(lines.get(1)).getAsJsonObject();
        assertThat(small.get("dimension").getAsInt()).isEqualTo(8);
        assertThat(large.get("size_ratio").getAsDouble())
                .isGreaterThan(3)
                .isGreaterThan(small.get("size_ratio").getAsDouble());
        for (JsonObject row : List.of(small, large)) {
            assertThat(row.get("float_ms").getAsDouble()).isPositive();
            assertThat(row.get("int8_ms").getAsDouble()).isPositive();
            assertThat(row.get("djl_float_ms").getAsDouble()).isPositive();
            // The recipe's own figure is 1.2 per cent.
            assertThat(row.get("difference_percent").getAsDouble()).isBetween(0.01, 5.0);
            // Integers are the same in DJL and in ONNX Runtime; see DynamicExportTest.
            assertThat(row.get("largest_difference_from_djl").getAsDouble()).isLessThan(2e-6);
        }
        assertThat(messages.toString(StandardCharsets.UTF_8))
                .contains("warning: 8 units are few")
                .doesNotContain("96 units");
        assertThat(folder.resolve("lstm-96-int8.onnx")).isRegularFile();
    }

    @Test
    void table_hasOneRowForEachLstm() {
        assertThat(run("--dimensions", "8", "--length", "3", "--seconds", "0.1")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("LSTM, sequence of 3, batch 1, 2 threads, seed 29592")
                .contains("mean |difference|");
    }

    @Test
    void badInput_isToldInOneLine() {
        assertThat(run("--dimensions", "0")).isEqualTo(2);
        assertThat(messages.toString(StandardCharsets.UTF_8))
                .startsWith(
                        "error: --dimensions, --length, --threads and --seconds must be positive");
    }
}
