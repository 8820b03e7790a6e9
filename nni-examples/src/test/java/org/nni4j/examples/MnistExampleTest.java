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
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.export.runtime.OnnxSession;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.runtime.SessionSettings;

class MnistExampleTest {
    /** Enough for one short epoch. */
    private static final String[] SHORT = {
        "--limit", "64", "--batch-size", "32", "--float-epochs", "1", "--epochs", "1"
    };

    @TempDir private Path folder;

    private String out = "";
    private String messages = "";

    private int run(String... args) {
        ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
        ByteArrayOutputStream messageBytes = new ByteArrayOutputStream();
        PrintStream outStream = new PrintStream(outBytes, true, StandardCharsets.UTF_8);
        PrintStream messageStream = new PrintStream(messageBytes, true, StandardCharsets.UTF_8);
        int code = MnistExample.run(outStream, messageStream, args);
        out = outBytes.toString(StandardCharsets.UTF_8);
        messages = messageBytes.toString(StandardCharsets.UTF_8);
        return code;
    }

    private int runShort(String... more) {
        return run(concat(SHORT, more));
    }

    private JsonObject json() {
        assertThat(out.lines()).hasSize(1);
        return JsonParser.parseString(out).getAsJsonObject();
    }

    @Test
    void run_onnx_writesAModelThatDjlRunsToo() throws Exception {
        Path file = folder.resolve("lenet.onnx");
        assertThat(runShort("--json", "--onnx", file.toString())).as(messages).isZero();

        assertThat(json().get("onnx_verified").getAsBoolean()).isTrue();
        assertThat(json().get("onnx_int8_file_bytes").getAsLong()).isEqualTo(Files.size(file));
        ImageSet digits = SyntheticDigits.draw(10, 7);
        RuntimeTensor pixels = RuntimeTensor.floats(OnnxInDjlExample.pixels(digits), 10, 1, 28, 28);
        try (OnnxSession session = OnnxSession.open(file, SessionSettings.standard(1))) {
            float[] expected = session.run(List.of(pixels)).values().iterator().next().floats();
            assertThat(OnnxInDjlExample.scores(file, digits)).isEqualTo(expected);
        }
    }

    /** The same with ranges per call: layers with such kernels in integers, all others in float. */
    @Test
    void run_dynamicToOnnx_saysWhatStayedFloat() {
        Path file = folder.resolve("dynamic.onnx");
        String[] args = {
            "--limit", "64", "--float-epochs", "1", "-a", "dynamic", "--onnx", file.toString()
        };
        assertThat(run(args)).as(messages).isZero();

        assertThat(file).isNotEmptyFile();
        assertThat(out)
                .contains("DynamicQuantizeMatMul", "in float: 01Conv2d", "verified: ", "batch 32")
                .contains("accuracy of the ONNX model in ONNX Runtime: ");
    }

    /** What the README's first command prints at its end, on few pictures. */
    @Test
    void experiment_withoutOptions_endsWithTheOnnxModelsFigures() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        Pictures few =
                new Pictures(
                        "few digits",
                        SyntheticDigits.draw(64, 3),
                        SyntheticDigits.draw(64, 4),
                        Normalization.MNIST,
                        Augmentation.NONE);
        ExampleDefaults brief = new ExampleDefaults("mnist", 1, 1, 0.03f, 0.005f, 5e-4f, 1);
        String table =
                new Experiment(new ExampleOptions(), brief, "lenet", () -> few, stream, stream)
                        .run(Networks.leNet(IdxFiles.CLASSES, false))
                        .toTable();

        assertThat(table)
                .containsSubsequence(
                        "accuracy",
                        "executed: ",
                        " integer, 0 float, ",
                        "no operator runs in float",
                        "verified, 64 samples",
                        "each operator, unoptimized",
                        "measured with",
                        "times smaller",
                        "batch 1 ",
                        "times as fast as float",
                        "batch 32",
                        "accuracy of the ONNX model in ONNX Runtime: ");
        Pattern accuracy = Pattern.compile("ONNX Runtime: ([0-9.]+) %");
        assertThat(accuracy.matcher(table).results().map(r -> Double.valueOf(r.group(1))))
                .singleElement()
                .satisfies(percent -> assertThat(percent).isBetween(0., 100.));
    }

    private static String[] calibrated(String... more) {
        String[] args = {
            "--limit",
            "64",
            "--float-epochs",
            "1",
            "--json",
            "-a",
            "observer",
            "--calibration",
            "40"
        };
        return Stream.of(args, more).flatMap(Stream::of).toArray(String[]::new);
    }

    private String[] calibratedTo(String onnx) {
        return calibrated("-o", folder.toString(), "--onnx", folder.resolve(onnx).toString());
    }

    @Test
    void run_outputAndOnnx_reportHasBoth() {
        assertThat(run(calibratedTo("lenet.onnx"))).as(messages).isZero();

        assertThat(json().get("onnx_verified").getAsBoolean()).isTrue();
        assertThat(folder.resolve("report.json")).hasContent(out.strip());
        assertThat(folder.resolve("quantized/lenet-0000.params")).isNotEmptyFile();
    }

    @Test
    void run_onnxThatCannotBeWritten_keepsWhatWasTrained() throws IOException {
        // a name that a file may have, but not with the suffix of one that is being written
        String name = "n".repeat(250);
        assertThat(run(calibratedTo(name))).isEqualTo(2);

        assertThat(messages).contains("error: --onnx: ", "exporting to ONNX");
        assertThat(folder.resolve("quantized/lenet-0000.params")).isNotEmptyFile();
        assertThat(folder.resolve("quantized/lenet-calibration.json")).isNotEmptyFile();
        assertThat(Files.readString(folder.resolve("report.json")))
                .contains("quantized_accuracy")
                .doesNotContain("onnx_accuracy");
    }

    @Test
    void run_onnxWhereNoFileCanBe_isToldBeforeTraining() throws IOException {
        Path taken = Files.writeString(folder.resolve("taken"), "");

        assertThat(runShort("--onnx", folder.toString())).isEqualTo(2);
        assertThat(messages)
                .contains("error: --onnx: " + folder + ": is a folder; expected a file")
                .doesNotContain("float epoch");
        assertThat(runShort("--onnx", taken.resolve("lenet.onnx").toString())).isEqualTo(2);
        assertThat(messages)
                .contains("error: --onnx: " + taken + ": is a file; expected a folder")
                .doesNotContain("float epoch");
    }

    @Test
    void run_json_isOneLineWithTheFigures() {
        assertThat(runShort("--json")).isZero();

        JsonObject report = json();
        assertThat(report.get("algorithm").getAsString()).isEqualTo("qat");
        assertThat(report.get("float_bytes").getAsLong()).isEqualTo(4 * 431_080L);
        // 430,500 weights of a byte, 580 biases and 580 channels' scales of four bytes
        assertThat(report.get("quantized_bytes").getAsLong())
                .isEqualTo(430_500 + 4 * 580 + 4 * 580);
        assertThat(report.get("drop_points").getAsDouble())
                .isCloseTo(
                        report.get("float_accuracy").getAsDouble()
                                - report.get("quantized_accuracy").getAsDouble(),
                        // all three are rounded to four places
                        Offset.offset(2e-4));
    }

    @Test
    void run_sameSeed_givesTheSameFigures() {
        runShort("--json", "--seed", "7");
        JsonObject first = json();
        runShort("--json", "--seed", "7");
        JsonObject second = json();

        first.remove("seconds");
        second.remove("seconds");
        assertThat(second).isEqualTo(first);
    }

    @Test
    void run_noJson_printsPlanAndTable() {
        assertThat(runShort()).isZero();

        assertThat(out).contains("01Conv2d", "accuracy", "drop", "bytes", "seconds");
        assertThat(messages).contains("drawing digits", "float epoch 1/1", "quantized epoch 1/1");
    }

    @Test
    void run_fold_foldsBatchNorm() {
        assertThat(runShort("--network", "lenet-bn")).isZero();
        assertThat(out).contains("BatchNorm is not folded");

        assertThat(runShort("--network", "lenet-bn", "--fold")).isZero();
        assertThat(out).contains("02BatchNorm").doesNotContain("BatchNorm is not folded");
    }

    @Test
    void run_naive_doesNotTrain() {
        assertThat(run("--limit", "64", "--float-epochs", "1", "--json", "-a", "naive")).isZero();

        assertThat(json().get("epochs").getAsInt()).isZero();
        assertThat(messages).doesNotContain("quantized epoch");
    }

    @Test
    void run_observer_calibratesInsteadOfTraining() {
        assertThat(run(calibrated())).isZero();

        assertThat(json().get("epochs").getAsInt()).isZero();
        assertThat(messages).contains("calibration 100%").doesNotContain("quantized epoch");
    }

    static List<String> algorithms() {
        return Algorithms.available();
    }

    /** Every algorithm on the class path, with the config that its name alone chooses. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void run_everyAlgorithm_givesAReport(String algorithm) {
        String network = algorithm.equals("bnn") ? "lenet-tanh" : "lenet";
        String[] args = {
            "--limit",
            "64",
            "--batch-size",
            "32",
            "--float-epochs",
            "1",
            "--json",
            "-a",
            algorithm,
            "-n",
            network
        };
        assertThat(run(args)).as(messages).isZero();

        JsonObject report = json();
        assertThat(report.get("algorithm").getAsString()).isEqualTo(algorithm);
        assertThat(report.get("quantized_accuracy").getAsDouble()).isBetween(0., 100.);
        assertThat(report.get("quantized_bytes").getAsLong())
                .isLessThan(report.get("float_bytes").getAsLong());
    }

    @Test
    void run_output_canBeLoadedAgain() throws IOException {
        assertThat(runShort("--json", "--output", folder.toString())).isZero();
        final JsonObject first = json();
        assertThat(folder.resolve("quantized/lenet-calibration.json")).isRegularFile();
        assertThat(Files.readString(folder.resolve("report.json"))).isEqualTo(out);

        String[] again = {
            "--limit",
            "64",
            "--epochs",
            "0",
            "--json",
            "--checkpoint",
            folder.resolve("float").toString()
        };
        assertThat(run(again)).isZero();
        assertThat(json().get("float_accuracy")).isEqualTo(first.get("float_accuracy"));
    }

    @Test
    void run_checkpointWithFloatEpochs_trainsOn() {
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        String[] short64 = {"--limit", "64", "--batch-size", "32", "--json", "-a", "naive"};
        assertThat(run(concat(short64, "--float-epochs", "1", "-o", first.toString()))).isZero();
        String[] on = {
            "--checkpoint",
            first.resolve("float").toString(),
            "--float-epochs",
            "2",
            "-o",
            second.toString()
        };
        assertThat(run(concat(short64, on))).isZero();

        assertThat(json().get("float_epochs").getAsInt()).isEqualTo(2);
        assertThat(messages).contains("float epoch 2/2");
        assertThat(second.resolve("float/lenet-0000.params")).isRegularFile();
        assertThat(first.resolve("float/lenet-0000.params"))
                .satisfies(
                        file ->
                                assertThat(Files.readAllBytes(file))
                                        .isNotEqualTo(
                                                Files.readAllBytes(
                                                        second.resolve(
                                                                "float/lenet-0000.params"))));
    }

    private static String[] concat(String[] first, String... more) {
        return Stream.of(first, more).flatMap(Stream::of).toArray(String[]::new);
    }

    @Test
    void run_resumeWhenDone_doesNotTrainInFloatAgain() {
        runShort("--json", "--output", folder.toString());
        JsonObject first = json();

        assertThat(runShort("--json", "--output", folder.toString(), "--resume")).isZero();
        assertThat(messages).doesNotContain("float epoch");
        assertThat(json().get("quantized_accuracy")).isEqualTo(first.get("quantized_accuracy"));
    }

    @Test
    void run_outputIsAFile_isToldBeforeTraining() throws IOException {
        Path file = Files.writeString(folder.resolve("taken"), "");

        assertThat(runShort("--output", file.toString())).isEqualTo(2);
        assertThat(messages)
                .contains("error: " + file + ": is a file; expected a folder")
                .doesNotContain("float epoch");
    }

    @Test
    void run_truncatedCheckpoint_saysSo() throws IOException {
        Files.write(folder.resolve("lenet-0000.params"), new byte[] {'D', 'J', 'L', '@', 0, 0});

        assertThat(run("--limit", "9", "--checkpoint", folder.toString())).isEqualTo(2);
        assertThat(messages).contains("error: " + folder + ": truncated");
    }

    @Test
    void run_help_namesTheOptions() {
        assertThat(run("--help")).isZero();

        assertThat(out).contains("--data", "--algorithm", "--config", "--json", "lenet-bn");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--data absent | absent: no such folder",
                "--epochs -1 | --epochs: -1; expected 0 or more",
                "--batch-size 0 | --batch-size: 0; expected 1 or more",
                "--rate 0 | --rate: 0.0; expected a positive number",
                "--weight-decay -1 | --weight-decay: -1.0; expected 0 or a positive number",
                "--epochs many | 'many' is not an int",
                "--colour | Unknown option: '--colour'",
                "--algorithm qta | unknown algorithm \"qta\"",
                "--algorithm naive --epochs 1 | algorithm \"naive\" does not train, expected 0",
                "--algorithm observer --rate 0.1 | --rate: 0.1; algorithm \"observer\" does not"
                        + " train",
                "--algorithm naive --weight-decay 0 | --weight-decay: 0.0; algorithm \"naive\""
                        + " does",
                "--float-epochs 0 --float-rate 0.2 | --float-rate: 0.2; nothing is trained in"
                        + " float",
                "--calibration 9 | algorithm \"qat\" does not calibrate",
                "--config absent.json | absent.json",
                "--limit 9 --checkpoint absent | absent: no float network; expected lenet-*.params",
                "--resume | --resume needs the --output folder",
                "--checkpoint x --float-epochs 1 --resume --output target/none | --checkpoint and"
                        + " --resume",
                "--network vgg | 'vgg'",
            })
    void run_badInput_exitsWithTwoAndSaysWhy(String args, String message) {
        assertThat(run(args.split(" "))).isEqualTo(2);

        assertThat(out).isEmpty();
        assertThat(messages).contains("error: ", message).doesNotContain("\tat ");
    }

    @Test
    void run_badConfig_namesEveryProblemBeforeTraining() throws IOException {
        Path file = folder.resolve("bad.json");
        Files.writeString(
                file,
                "[{\"quant_types\": [\"weight\"], \"quant_bits\": 17, \"op_typs\": [\"Conv2d\"]}]");

        assertThat(run("--config", file.toString())).isEqualTo(2);
        assertThat(messages)
                .contains("config[0].quant_bits", "config[0].op_typs")
                .doesNotContain("float epoch");
    }

    @Test
    void run_configThatDoesNotFitTheNetwork_isToldBeforeTraining() throws IOException {
        Path file = folder.resolve("other.json");
        Files.writeString(
                file,
                "[{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_names\":"
                        + " [\"02Conv2d\"]}]");

        assertThat(run("--limit", "9", "--config", file.toString())).isEqualTo(2);
        assertThat(messages).contains("02Conv2d", "01Conv2d").doesNotContain("float epoch");
    }
}
