package org.nni4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever comes in, the outcome is a valid list or a {@link ConfigException}, and soon. */
@Timeout(30)
class ConfigListHostileTest {

    private static final String TOO_LARGE = "larger than 1 MiB; expected at most 1 MiB of JSON";

    private static final List<String> VALID =
            LongStream.range(0, 20)
                    .mapToObj(seed -> RandomConfig.of(seed).java().toJson())
                    .toList();

    @TempDir Path folder;

    @Test
    void fromJson_deepNesting_throws() {
        for (String open : List.of("[", "{\"a\":", "[{\"settings\":{\"a\":")) {
            assertThatThrownBy(() -> ConfigList.fromJson(open.repeat(50_000)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("nested too deep; expected at most 8 levels");
        }
    }

    @Test
    void fromJson_tenMegabytes_throws() throws IOException {
        String text = "[" + " ".repeat(10 << 20) + "]";
        Path file = Files.writeString(folder.resolve("large.json"), text);

        assertThatThrownBy(() -> ConfigList.fromJson(text))
                .isInstanceOf(ConfigException.class)
                .hasMessage("config: " + TOO_LARGE);
        assertThatThrownBy(() -> ConfigList.fromJson(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + ": " + TOO_LARGE);
    }

    @Test
    void fromJson_manyValues_throws() {
        assertThatThrownBy(() -> ConfigList.fromJson("[" + "0,".repeat(400_000) + "0]"))
                .isInstanceOf(ConfigException.class)
                .hasMessage("config: too many values; expected at most 200000");
    }

    @Test
    void fromJson_manyEntries_throws() {
        assertThatThrownBy(() -> ConfigList.fromJson("[" + "{},".repeat(1000) + "{}]"))
                .isInstanceOf(ConfigException.class)
                .hasMessage("config: 1001 entries; expected at most 1000");
    }

    @Test
    void fromJson_manyProblems_listsTheFirstHundred() {
        assertThatThrownBy(() -> ConfigList.fromJson("[" + "{},".repeat(99) + "{}]"))
                .isInstanceOfSatisfying(
                        ConfigException.class, e -> assertThat(e.problems()).hasSize(101))
                .hasMessageEndingWith("\n  config: further problems are not listed: 100");
    }

    @Test
    void fromJson_manyUnknownKeys_throwsSoon() {
        StringBuilder json = new StringBuilder("[{");
        for (int i = 0; i < 60_000; i++) {
            json.append("\"quant_").append(i).append("\":0,");
        }
        json.append("\"x\":0}]");

        assertThatThrownBy(() -> ConfigList.fromJson(json.toString()))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void fromJson_hugeNumbers_throw() {
        for (String number :
                List.of(
                        "1e999999999",
                        "1e-999999999",
                        "9".repeat(60),
                        "9".repeat(100_000),
                        "-0.1")) {
            String json =
                    "[{\"quant_types\":[\"weight\"],\"op_types\":[\"A\"],\"quant_bits\":"
                            + number
                            + "}]";
            assertThatThrownBy(() -> ConfigList.fromJson(json))
                    .as(number.substring(0, Math.min(20, number.length())))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageStartingWith("config[0].quant_bits: ");
        }
    }

    @Test
    void fromJson_longStrings_messageStaysShort() {
        String text = "x".repeat(1_000_000);

        assertThatThrownBy(() -> ConfigList.fromJson("[\"" + text + "\"]"))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.getMessage()).hasSizeLessThan(300));
        assertThatThrownBy(() -> ConfigList.fromJson("[{\"" + text + "\":1}]"))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.getMessage()).hasSizeLessThan(1000));
    }

    @Test
    void fromMaps_mapInItself_throws() {
        Map<String, Object> map = new HashMap<>();
        map.put("settings", map);

        assertThatThrownBy(() -> ConfigList.fromMaps(List.of(map)))
                .isInstanceOf(ConfigException.class)
                .hasMessageEndingWith("nested too deep; expected at most 8 levels");
    }

    @Test
    void fromMaps_listsSharedManyTimes_throw() {
        List<Object> shared = new ArrayList<>();
        for (int level = 0; level < 5; level++) {
            shared = new ArrayList<>(Collections.nCopies(1000, shared));
        }
        Map<String, Object> map = Map.of("op_names", shared);

        assertThatThrownBy(() -> ConfigList.fromMaps(List.of(map)))
                .isInstanceOf(ConfigException.class)
                .hasMessage("config: too many values; expected at most 200000");
    }

    @Test
    void fromMaps_keysThatAreNoStrings_throw() {
        Map<Object, Object> map = new HashMap<>();
        map.put(3, "x");
        @SuppressWarnings("unchecked") // what a caller with raw types can do
        Map<String, Object> raw = (Map<String, Object>) (Map<?, ?>) map;

        assertThatThrownBy(() -> ConfigList.fromMaps(List.of(raw)))
                .isInstanceOf(ConfigException.class)
                .hasMessage("config[0]: a key of type java.lang.Integer; expected strings as keys");
    }

    @Test
    void fromJson_truncatedAnywhere_throws() {
        byte[] json = VALID.get(1).strip().getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < json.length; length++) {
            byte[] cut = Arrays.copyOf(json, length);
            assertThatThrownBy(() -> ConfigList.fromUtf8(cut, "bytes"))
                    .as("cut to %d bytes", length)
                    .isInstanceOf(ConfigException.class);
        }
    }

    @Test
    void fromJson_mutatedBytes_isValidOrConfigException() {
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            byte[] bytes = mutated(random);
            try {
                ConfigList list = ConfigList.fromUtf8(bytes, "bytes");
                assertThat(ConfigList.fromJson(list.toJson())).as("seed %d", seed).isEqualTo(list);
            } catch (ConfigException e) {
                assertThat(e.problems()).as("seed %d", seed).isNotEmpty();
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    /** Flips bits, replaces, drops and doubles pieces of a valid list. */
    private static byte[] mutated(Random random) {
        byte[] bytes = VALID.get(random.nextInt(VALID.size())).getBytes(StandardCharsets.UTF_8);
        byte[] syntax = "{}[],:\"\\u0+-eE.9ntf ".getBytes(StandardCharsets.UTF_8);
        int mutations = 1 + random.nextInt(4);
        for (int i = 0; i < mutations && bytes.length > 1; i++) {
            int at = random.nextInt(bytes.length);
            int to = at + random.nextInt(Math.min(20, bytes.length - at));
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = syntax[random.nextInt(syntax.length)];
                case 2 -> bytes = joined(bytes, at, to);
                default -> bytes = joined(bytes, to, at);
            }
        }
        return bytes;
    }

    /** Everything up to the first index and from the second one on. */
    private static byte[] joined(byte[] bytes, int end, int start) {
        byte[] joined = Arrays.copyOf(bytes, end + bytes.length - start);
        System.arraycopy(bytes, start, joined, end, bytes.length - start);
        return joined;
    }
}
