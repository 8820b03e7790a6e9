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

/** Trains LeNet on MNIST, quantizes it and measures both; see {@code --help}. */
@Command(
        name = "mnist",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Trains LeNet on handwritten digits, quantizes it and measures both.",
        mixinStandardHelpOptions = true)
public final class MnistExample implements Callable<Integer> {
    private static final ExampleDefaults DEFAULTS =
            new ExampleDefaults("mnist", 3, 2, 0.03f, 0.005f, 5e-4f, 1);

    private static final int DRAWN_FOR_TRAINING = 10_000;
    private static final int DRAWN_FOR_TEST = 2_000;

    @Mixin private final ExampleOptions options = new ExampleOptions();

    @Option(
            names = {"-n", "--network"},
            paramLabel = "NAME",
            description =
                    "The network: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}); -bn has"
                            + " batch normalisation, -tanh is the form that bnn needs.")
    private Network network = Network.LENET;

    private final PrintStream out;
    private final PrintStream messages;

    private MnistExample(PrintStream out, PrintStream messages) {
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
        return ExampleCommand.run(new MnistExample(out, messages), out, messages, args);
    }

    @Override
    public Integer call() {
        Report report =
                new Experiment(options, DEFAULTS, network.toString(), this::pictures, out, messages)
                        .run(network.block());
        out.println(options.json ? report.toJson() : report.toTable());
        return ExitCode.OK;
    }

    private Pictures pictures() {
        return options.data.map(MnistExample::read).orElseGet(this::draw);
    }

    private static Pictures read(Path folder) {
        return new Pictures(
                "MNIST",
                IdxFiles.readTraining(folder),
                IdxFiles.readTest(folder),
                Normalization.MNIST,
                Augmentation.NONE);
    }

    private Pictures draw() {
        messages.println("no --data folder: drawing digits instead of reading MNIST");
        return new Pictures(
                "drawn digits",
                SyntheticDigits.draw(drawn(DRAWN_FOR_TRAINING), options.seed),
                SyntheticDigits.draw(drawn(DRAWN_FOR_TEST), ~options.seed),
                Normalization.MNIST,
                Augmentation.NONE);
    }

    /** Returns how many to draw; those that the limit would drop need not be drawn. */
    private int drawn(int count) {
        return Math.min(count, options.limit.orElse(count));
    }

    /** The networks for 28×28 grey pictures. */
    enum Network {
        LENET,
        LENET_BN,
        LENET_TANH;

        Block block() {
            return this == LENET_TANH
                    ? Networks.leNetTanh(IdxFiles.CLASSES)
                    : Networks.leNet(IdxFiles.CLASSES, this == LENET_BN);
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
