package org.nni4j.examples;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that all examples share. What is absent follows {@link ExampleDefaults}. */
final class ExampleOptions {

    @Option(
            names = {"-d", "--data"},
            paramLabel = "DIR",
            description = "Folder of the data set; without it the example draws its own pictures.")
    Optional<Path> data = Optional.empty();

    @Option(
            names = {"-a", "--algorithm"},
            paramLabel = "NAME",
            description = "Quantization algorithm (default: ${DEFAULT-VALUE}).")
    String algorithm = "qat";

    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "Config list as JSON; by default the algorithm's own for this example.")
    Optional<Path> config = Optional.empty();

    @Option(
            names = "--float-epochs",
            paramLabel = "N",
            description = "Epochs in float, before quantization.")
    Optional<Integer> floatEpochs = Optional.empty();

    @Option(
            names = {"-e", "--epochs"},
            paramLabel = "N",
            description = "Epochs of the quantized network.")
    Optional<Integer> epochs = Optional.empty();

    @Option(
            names = "--fold",
            description =
                    "Trace the network and fold each BatchNorm into the convolution before it.")
    boolean fold;

    @Option(
            names = "--calibration",
            paramLabel = "N",
            description = "Training pictures to calibrate with, for algorithm observer.")
    Optional<Integer> calibration = Optional.empty();

    @Option(
            names = {"-b", "--batch-size"},
            paramLabel = "N",
            description = "Pictures per training step (default: ${DEFAULT-VALUE}).")
    int batchSize = 128;

    @Option(
            names = "--float-rate",
            paramLabel = "RATE",
            description = "Peak learning rate in float.")
    Optional<Float> floatRate = Optional.empty();

    @Option(
            names = "--rate",
            paramLabel = "RATE",
            description = "Peak learning rate of the quantized network.")
    Optional<Float> rate = Optional.empty();

    @Option(
            names = "--weight-decay",
            paramLabel = "DECAY",
            description = "Weight decay of the quantized network's training; low widths want less.")
    Optional<Float> weightDecay = Optional.empty();

    @Option(
            names = {"-s", "--seed"},
            paramLabel = "N",
            description = "Decides weights, order and drawn pictures (default: ${DEFAULT-VALUE}).")
    int seed = 42;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of the engine.")
    Optional<Integer> threads = Optional.empty();

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "Use only the first N pictures of each set.")
    Optional<Integer> limit = Optional.empty();

    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            description =
                    "Load the float network from this folder instead of training it; with"
                            + " --float-epochs it is trained on.")
    Optional<Path> checkpoint = Optional.empty();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description =
                    "Write the float network, the quantized one with its calibration, and the"
                            + " report to this folder.")
    Optional<Path> output = Optional.empty();

    @Option(
            names = "--onnx",
            paramLabel = "FILE",
            description =
                    "Write the quantized network as an ONNX model of integers, compare it with the"
                            + " trained one, and measure it in ONNX Runtime; implies --fold.")
    Optional<Path> onnx = Optional.empty();

    @Option(
            names = "--resume",
            description =
                    "Go on with the training, float or quantized, that the output folder holds.")
    boolean resume;

    @Option(
            names = "--json",
            description = "Print the result as one line of JSON, and nothing else, to stdout.")
    boolean json;

    /**
     * Tells whether the story goes on in ONNX Runtime: if that was asked for, and where somebody
     * just tries the example out.
     */
    boolean toOnnx() {
        boolean tried = data.isEmpty() && limit.isEmpty() && !json && config.isEmpty();
        return onnx.isPresent() || (tried && List.of("qat", "observer").contains(algorithm));
    }

    /**
     * Checks what can be checked before any work is done.
     *
     * @throws InputException naming the option, what came and what is expected
     */
    void check() {
        floatEpochs.ifPresent(n -> atLeast("--float-epochs", n, 0));
        epochs.ifPresent(n -> atLeast("--epochs", n, 0));
        calibration.ifPresent(n -> atLeast("--calibration", n, 1));
        atLeast("--batch-size", batchSize, 1);
        limit.ifPresent(n -> atLeast("--limit", n, 1));
        threads.ifPresent(n -> atLeast("--threads", n, 1));
        floatRate.ifPresent(r -> positive("--float-rate", r, false));
        rate.ifPresent(r -> positive("--rate", r, false));
        weightDecay.ifPresent(d -> positive("--weight-decay", d, true));
        if (resume && output.isEmpty()) {
            throw new InputException("--resume needs the --output folder it resumes from");
        }
        if (checkpoint.isPresent() && floatEpochs.isPresent() && resume) {
            throw new InputException(
                    "--checkpoint and --resume: both say where float training begins; expected"
                            + " one of them");
        }
    }

    private static void atLeast(String option, int value, int least) {
        if (value < least) {
            throw new InputException(
                    String.format("%s: %d; expected %d or more", option, value, least));
        }
    }

    private static void positive(String option, float value, boolean orZero) {
        boolean fits = value > 0 || (orZero && value == 0);
        if (!(fits && value < Float.POSITIVE_INFINITY)) {
            throw new InputException(
                    String.format(
                            "%s: %s; expected %sa positive number",
                            option, value, orZero ? "0 or " : ""));
        }
    }
}
