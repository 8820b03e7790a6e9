package org.nni4j.examples;

import ai.djl.nn.Block;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.nni4j.memory.NativeHeap;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains ResNet-20 or VGG on CIFAR-10, quantizes it and measures both; see {@code --help}. */
@Command(
        name = "cifar10",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description =
                "Trains ResNet-20 or a small VGG on CIFAR-10, quantizes it and measures both.",
        mixinStandardHelpOptions = true)
public final class Cifar10Example implements Callable<Integer> {
    private static final ExampleDefaults DEFAULTS =
            new ExampleDefaults(
                    "cifar10",
                    18,
                    2,
                    0.2f,
                    0.01f,
                    5e-4f,
                    Runtime.getRuntime().availableProcessors());
    private static final ExampleDefaults DRAWN_DEFAULTS =
            new ExampleDefaults(
                    "cifar10",
                    3,
                    1,
                    0.1f,
                    0.01f,
                    5e-4f,
                    Runtime.getRuntime().availableProcessors());

    private static final int DRAWN_FOR_TRAINING = 3_000;
    private static final int DRAWN_FOR_TEST = 1_000;

    @Mixin private final ExampleOptions options = new ExampleOptions();

    @Option(
            names = {"-n", "--network"},
            paramLabel = "NAME",
            description = "The network: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Network network = Network.RESNET20;

    private final PrintStream out;
    private final PrintStream messages;

    private Cifar10Example(PrintStream out, PrintStream messages) {
        this.out = out;
        this.messages = messages;
    }

    /**
     * Runs the example and exits: 0 if all went well, 2 if the input was bad.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        NativeHeap.keepFreedMemory();
        System.exit(run(System.out, System.err, args));
    }

    /** Runs the example and returns its exit code. */
    static int run(PrintStream out, PrintStream messages, String... args) {
        return ExampleCommand.run(new Cifar10Example(out, messages), out, messages, args);
    }

    @Override
    public Integer call() {
        ExampleDefaults defaults = options.data.isPresent() ? DEFAULTS : DRAWN_DEFAULTS;
        Report report =
                new Experiment(options, defaults, network.toString(), this::pictures, out, messages)
                        .run(network.block());
        out.println(options.json ? report.toJson() : report.toTable());
        return ExitCode.OK;
    }

    private Pictures pictures() {
        return options.data.map(Cifar10Example::read).orElseGet(this::draw);
    }

    private static Pictures read(Path folder) {
        return new Pictures(
                "CIFAR-10",
                Cifar10Files.readTraining(folder),
                Cifar10Files.readTest(folder),
                Normalization.CIFAR10,
                Augmentation.CROP_AND_FLIP);
    }

    private Pictures draw() {
        messages.println("no --data folder: drawing shapes instead of reading CIFAR-10");
        return new Pictures(
                "drawn shapes",
                SyntheticShapes.draw(drawn(DRAWN_FOR_TRAINING), options.seed),
                SyntheticShapes.draw(drawn(DRAWN_FOR_TEST), ~options.seed),
                Normalization.CIFAR10,
                Augmentation.CROP_AND_FLIP);
    }

    /** Returns how many to draw; those that the limit would drop need not be drawn. */
    private int drawn(int count) {
        return Math.min(count, options.limit.orElse(count));
    }

    /** The networks for 32×32 colour pictures. */
    enum Network {
        RESNET20,
        VGG_SMALL;

        Block block() {
            return this == RESNET20
                    ? Networks.resNet20(Cifar10Files.CLASSES)
                    : Networks.vggSmall(Cifar10Files.CLASSES);
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
