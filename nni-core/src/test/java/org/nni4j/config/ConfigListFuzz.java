package org.nni4j.config;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Any bytes are a config list that survives being written, or a {@link ConfigException}. */
public final class ConfigListFuzz {

    /** Long enough for a pattern to lose its way in. */
    private static final String PATH = "01SequentialBlock.02ParallelBlock.03Conv2d".repeat(5);

    private ConfigListFuzz() {}

    /** Loads and instruments all classes before inputs are timed. */
    public static void fuzzerInitialize() {
        seeds().forEach(ConfigListFuzz::fuzzerTestOneInput);
    }

    /** What the fuzzer calls. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        ConfigList list;
        try {
            list = ConfigList.fromUtf8(bytes, "bytes");
        } catch (ConfigException e) {
            checkProblems(e);
            return;
        }
        if (!ConfigList.fromJson(list.toJson()).equals(list)) {
            throw new AssertionError("is read back otherwise:\n" + list.toJson());
        }
        for (ConfigEntry entry : list.entries()) {
            for (String regex : entry.opNamesRe()) {
                match(regex);
            }
        }
    }

    /** Messages are for people, whatever is in the file. */
    private static void checkProblems(ConfigException e) {
        if (e.problems().isEmpty() || String.valueOf(e.getMessage()).length() > 200_000) {
            throw new AssertionError(e.problems().size() + " problems", e);
        }
    }

    private static void match(String regex) {
        try {
            NamePattern.of(regex).matches(PATH);
        } catch (ConfigException e) {
            checkProblems(e);
        }
    }

    /** Where the fuzzer begins. */
    public static List<byte[]> seeds() {
        Stream<String> hostile =
                Stream.of(
                        "[{\"quant_types\":[\"weight\"],\"quant_bits\":8,\"quant_bits\":4,\"op_types\":[\"A\"]}]",
                        "[{\"quant_types\":[\"weight\"],\"quant_bits\":NaN,\"op_types\":[\"A\"]}]",
                        "[{\"quant_types\":[\"weight\"],\"quant_bits\":8e0,\"op_names_re\":[\"(.*a){20}b\"]}]",
                        "[{\"settings\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":[1e999999999]}}}}}}]",
                        "\uFEFF[]");
        Stream<String> valid =
                LongStream.range(0, 20).mapToObj(seed -> RandomConfig.of(seed).java().toJson());
        return Stream.concat(hostile, valid)
                .map(json -> json.getBytes(StandardCharsets.UTF_8))
                .toList();
    }
}
