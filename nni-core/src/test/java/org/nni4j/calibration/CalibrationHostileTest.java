package org.nni4j.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.config.ConfigException;

/** Whatever comes in, the outcome is a calibration or a {@link ConfigException}, and soon. */
@Timeout(30)
class CalibrationHostileTest {

    private static final List<byte[]> SEEDS = CalibrationFuzz.seeds();

    @TempDir Path folder;

    private static void assertRefused(String json, String message) {
        assertThatThrownBy(() -> CalibrationConfig.fromJson(json))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message)
                .satisfies(
                        e -> assertThat(String.valueOf(e.getMessage())).hasSizeLessThan(200_000));
    }

    @Test
    void fromJson_deepNesting_throws() {
        for (String open : List.of("[", "{\"layers\":", "{\"layers\":{\"a\":{\"tensors\":[")) {
            assertRefused(open.repeat(50_000), "nested too deep; expected at most 8 levels");
        }
    }

    @Test
    void fromJson_sixtyFiveMegabytes_throws() {
        assertRefused(" ".repeat((64 << 20) + 1), "characters; expected at most 67108864");
    }

    @Test
    void fromJson_millionsOfValues_throws() {
        assertRefused("{\"layers\":[" + "0,".repeat(5_000_000) + "0]}", "too many values");
    }

    @Test
    void fromJson_aMillionUnknownKeys_throwsSoon() {
        StringBuilder json = new StringBuilder("{");
        for (int i = 0; i < 1_000_000; i++) {
            json.append("\"layer").append(i).append("\":0,");
        }
        assertRefused(json.append("\"x\":0}").toString(), "unknown key");
    }

    @Test
    void fromJson_longStrings_messageStaysShort() {
        String text = "x".repeat(10_000_000);
        assertRefused("{\"" + text + "\":1}", "unknown key");
        assertRefused("{\"format_version\":\"" + text + "\"}", "format_version");
        assertRefused("{\"layers\":{\"" + text + "\":{\"a\":0,\"b\":0}}}", "unknown key");
    }

    @Test
    void fromJson_hugeNumbers_throw() {
        for (String number : List.of("1e999999999", "-1e-999999999", "9".repeat(100_000), "NaN")) {
            assertRefused("{\"format_version\":1,\"step\":" + number + "}", "calibration");
        }
    }

    @Test
    void fromJson_truncatedAnywhere_throws() {
        String json = new String(SEEDS.get(SEEDS.size() - 1), StandardCharsets.UTF_8).strip();
        for (int length = 0; length < json.length(); length++) {
            assertRefused(json.substring(0, length), "calibration");
        }
    }

    @Test
    void read_anyBitFlipped_isACalibrationOrRefused() throws IOException {
        Path file = folder.resolve("calibration.json");
        byte[] json = SEEDS.get(SEEDS.size() - 1);
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            byte[] changed = Arrays.copyOf(json, json.length);
            changed[random.nextInt(json.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, changed);
            try {
                CalibrationConfig read = CalibrationConfig.read(file);
                assertThat(CalibrationConfig.fromJson(read.toJson()))
                        .as("seed %d", seed)
                        .isEqualTo(read);
            } catch (ConfigException e) {
                assertThat(e.problems()).as("seed %d", seed).isNotEmpty();
            }
        }
    }
}
