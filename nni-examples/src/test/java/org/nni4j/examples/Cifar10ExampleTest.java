package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithm.Algorithms;

class Cifar10ExampleTest {
    private static final String TINY = "--json --limit 8 --batch-size 4 ";

    @TempDir private Path folder;

    private static JsonObject run(String args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        int code =
                Cifar10Example.run(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(messages, true, StandardCharsets.UTF_8),
                        (TINY + args).split(" "));
        assertThat(code).as(messages.toString(StandardCharsets.UTF_8)).isZero();
        return JsonParser.parseString(out.toString(StandardCharsets.UTF_8)).getAsJsonObject();
    }

    @ParameterizedTest
    @ValueSource(strings = {"resnet20", "vgg-small"})
    void run_drawnShapes_givesAReport(String network) {
        JsonObject report = run("--float-epochs 1 --epochs 1 --network " + network);

        assertThat(report.get("network").getAsString()).isEqualTo(network);
        assertThat(report.get("float_epochs").getAsInt()).isEqualTo(1);
    }

    /** Those with a config of their own for this example; bnn wants a network without ReLU. */
    static List<String> algorithms() {
        return Algorithms.available().stream().filter(Cifar10ExampleTest::hasConfig).toList();
    }

    private static boolean hasConfig(String algorithm) {
        String[] names =
                Path.of("..", "configs").toFile().list((dir, name) -> name.startsWith("cifar10-"));
        return Stream.of(names == null ? new String[0] : names)
                .anyMatch(name -> name.split("[-.]")[1].equals(algorithm));
    }

    @Test
    void algorithms_allButBnn_haveAConfig() {
        assertThat(algorithms())
                .containsExactly("dorefa", "dynamic", "lsq", "naive", "observer", "pact", "qat");
    }

    @ParameterizedTest
    @ValueSource(strings = {"resnet20", "vgg-small"})
    void run_bnnWithAConfigOfOnesOwn_givesAReport(String network) throws IOException {
        Path config = folder.resolve("bnn.json");
        Files.writeString(
                config,
                "[{\"quant_types\": [\"weight\", \"input\"], \"quant_bits\": 1,"
                        + " \"op_types\": [\"Conv2d\", \"Linear\"]}]");
        JsonObject report =
                run(
                        "--float-epochs 0 --epochs 1 --algorithm bnn --network "
                                + network
                                + " --config "
                                + config);

        assertThat(report.get("quantized_bytes").getAsLong())
                .isLessThan(report.get("float_bytes").getAsLong() / 20);
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void run_everyAlgorithm_givesAReport(String algorithm) {
        String epochs =
                Algorithms.find(algorithm).capabilities().needsOptimizer() ? " --epochs 1" : "";
        JsonObject report = run("--float-epochs 0 --algorithm " + algorithm + epochs);

        assertThat(report.get("algorithm").getAsString()).isEqualTo(algorithm);
        assertThat(report.get("quantized_bytes").getAsLong())
                .isLessThan(report.get("float_bytes").getAsLong());
    }

    @Test
    void run_onnx_writesAVerifiedModelOfIntegers() throws IOException {
        Path file = folder.resolve("resnet20.onnx");
        JsonObject report =
                run("--float-epochs 1 --algorithm observer --calibration 8 --onnx " + file);

        assertThat(report.get("onnx_verified").getAsBoolean()).isTrue();
        assertThat(report.get("onnx_int8_file_bytes").getAsLong()).isEqualTo(Files.size(file));
        // ResNet-20 is nearly all weights, of which each has a fourth of its bytes
        assertThat(report.get("onnx_float_file_bytes").getAsDouble() / Files.size(file))
                .isGreaterThan(3.5);
    }

    @Test
    void run_resumedAndLoaded_isTheSameFloatNetwork() {
        String out = " --output " + folder;
        JsonObject first = run("--float-epochs 1 --algorithm naive" + out);
        JsonObject resumed = run("--float-epochs 1 --algorithm naive --resume" + out);
        JsonObject loaded = run("--algorithm naive --checkpoint " + folder.resolve("float"));

        for (JsonObject again : Arrays.asList(resumed, loaded)) {
            for (String figure : List.of("float_accuracy", "quantized_accuracy")) {
                assertThat(again.get(figure)).as(figure).isEqualTo(first.get(figure));
            }
        }
    }
}
