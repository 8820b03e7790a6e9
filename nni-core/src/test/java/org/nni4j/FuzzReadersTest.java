package org.nni4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever bytes come in, a reader gives a valid object or its documented exception. For long, with
 * {@code -Dnni4j.fuzz.inputs} and {@code -Dnni4j.fuzz.seed}.
 */
class FuzzReadersTest {

    /** A taste of what a long run does. */
    private static final int SECONDS = 12;

    private static final int INPUTS = Integer.getInteger("nni4j.fuzz.inputs", 0);
    private static final int SEED = Integer.getInteger("nni4j.fuzz.seed", 1);

    static List<String> readers() {
        return FuzzReaders.names();
    }

    @ParameterizedTest
    @MethodSource("readers")
    void read_fuzzedInputs_isValidOrTheDocumentedException(String reader)
            throws IOException, InterruptedException {
        assumeTrue(isSupported(), "Jazzer has no driver for this platform");
        FuzzReaders.Result result =
                INPUTS == 0
                        ? FuzzReaders.run(reader, Integer.MAX_VALUE, SECONDS, SEED)
                        : FuzzReaders.run(reader, INPUTS, Integer.MAX_VALUE, SEED);
        System.out.println(result);
        assertThat(result.exitCode()).as("seed %d: %s", SEED, result.log()).isZero();
        if (INPUTS > 0) {
            assertThat(result.inputs()).isGreaterThanOrEqualTo(INPUTS);
        }
        // Busy machines manage tens of thousands; a fuzzer that stands still would pass for one
        // that found nothing.
        assertThat(result.inputs()).as(result.log()).isGreaterThan(1_000);
        assertThat(result.covered()).as("edges covered: %s", result.log()).isGreaterThan(100);
    }

    private static boolean isSupported() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch");
        return !system.startsWith("windows") || processor.equals("amd64");
    }
}
