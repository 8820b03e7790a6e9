package org.nni4j.examples;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.nni4j.algorithms.qat.QATQuantizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Trains a quantized LeNet for many steps and prints the process's memory; see {@code --help}. */
@Command(
        name = "memory",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description =
                "Trains LeNet with int8 weights, inputs and outputs on drawn digits, and prints"
                        + " resident memory as it goes.",
        mixinStandardHelpOptions = true)
public final class MemoryStudy implements Callable<Integer> {

    private static final int DRAWN = 2_000;
    private static final Path STATUS = Path.of("/proc/self/status");

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Steps to train (default: ${DEFAULT-VALUE}).")
    private int steps = 10_000;

    @Option(
            names = "--every",
            paramLabel = "N",
            description = "Steps between two lines (default: ${DEFAULT-VALUE}).")
    private int every = 1_000;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Pictures in a batch (default: ${DEFAULT-VALUE}).")
    private int batchSize = 16;

    @Option(
            names = "--learning-rate",
            paramLabel = "X",
            description =
                    "SGD's, with momentum 0.9; small batches need a small one (default:"
                            + " ${DEFAULT-VALUE}).")
    private float learningRate = 0.005f;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides weights, digits and order (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    private final PrintStream out;

    private MemoryStudy(PrintStream out) {
        this.out = out;
    }

    /**
     * Runs the study and exits: 0 if all went well, 2 if the input was bad.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(run(System.out, System.err, args));
    }

    /** Runs the study and returns its exit code. */
    static int run(PrintStream out, PrintStream messages, String... args) {
        return ExampleCommand.run(new MemoryStudy(out), out, messages, args);
    }

    @Override
    public Integer call() {
        if (steps < 1 || every < 1 || batchSize < 1) {
            throw new InputException("--steps, --every and --batch-size must be at least 1");
        }
        System.setProperty("ai.djl.pytorch.num_threads", "1");
        Batches batches =
                new Batches(
                        SyntheticDigits.draw(DRAWN, seed),
                        Normalization.MNIST,
                        batchSize,
                        Augmentation.NONE);
        try (Model model = Model.newInstance("lenet")) {
            model.getNDManager().getEngine().setRandomSeed((int) seed);
            Block network = Networks.leNet(IdxFiles.CLASSES, false);
            network.initialize(
                    model.getNDManager(),
                    DataType.FLOAT32,
                    new Shape(batchSize, 1, SyntheticDigits.SIDE, SyntheticDigits.SIDE));
            model.setBlock(network);
            train(model, batches);
        }
        return ExitCode.OK;
    }

    private void train(Model model, Batches batches) {
        List<Map<String, Object>> config =
                List.of(
                        Map.of(
                                "quant_types", List.of("weight", "input", "output"),
                                "quant_bits", 8,
                                "op_types", List.of("Conv2d", "Linear")));
        Optimizer sgd =
                Optimizer.sgd()
                        .setLearningRateTracker(Tracker.fixed(learningRate))
                        .optMomentum(0.9f)
                        .build();
        try (QATQuantizer quantizer = new QATQuantizer(model, config, sgd)) {
            quantizer.compress();
            try (Trainer trainer = Training.trainer(model, quantizer.optimizer())) {
                out.println("step  resident MiB");
                int step = 0;
                for (long epoch = 0; step < steps; epoch++) {
                    step = epoch(trainer, batches, epoch, step);
                }
            }
        }
    }

    /** Goes on from a step, and returns the step it came to. */
    private int epoch(Trainer trainer, Batches batches, long epoch, int from) {
        int step = from;
        for (Batch batch : batches.shuffled(trainer.getManager(), seed + epoch)) {
            if (step < steps) {
                Training.step(trainer, batch);
                step++;
                if (step % every == 0) {
                    out.printf("%d  %s%n", step, text(residentMebibytes()));
                }
            }
            batch.close();
        }
        return step;
    }

    private static String text(OptionalLong mebibytes) {
        return mebibytes.isPresent() ? String.valueOf(mebibytes.getAsLong()) : "unknown";
    }

    /** What Linux says of this process; nothing elsewhere. */
    private static OptionalLong residentMebibytes() {
        if (!Files.isReadable(STATUS)) {
            return OptionalLong.empty();
        }
        try (Stream<String> lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }
}
