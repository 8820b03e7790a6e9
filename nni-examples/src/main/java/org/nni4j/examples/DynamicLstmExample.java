package org.nni4j.examples;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.UniformInitializer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.nni4j.algorithms.dynamic.DynamicQuantizer;
import org.nni4j.config.ConfigList;
import org.nni4j.export.DynamicExporter;
import org.nni4j.export.OnnxExporter;
import org.nni4j.export.runtime.ModelRunner;
import org.nni4j.export.runtime.OnnxSession;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.runtime.SessionSettings;
import org.nni4j.export.runtime.Timing;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/**
 * The five steps of PyTorch's dynamic quantization recipe: build an LSTM, quantize it, and compare
 * size, latency and accuracy; see {@code --help}.
 */
@Command(
        name = "dynamic-lstm",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description =
                "Builds an LSTM, quantizes it dynamically, writes both as ONNX models, and compares"
                        + " their size, latency and outputs in ONNX Runtime.",
        mixinStandardHelpOptions = true)
public final class DynamicLstmExample implements Callable<Integer> {

    /** Below this, what quantizing activations costs is more than integer products save. */
    private static final int SMALL = 64;

    @Option(
            names = "--dimensions",
            paramLabel = "N",
            split = ",",
            description = "Features of input and state, one LSTM each (default: 8,80,512).")
    private List<Integer> dimensions = List.of(8, 80, 512);

    @Option(
            names = "--length",
            paramLabel = "N",
            description = "Steps of the sequence (default: ${DEFAULT-VALUE}).")
    private int length = 35;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description =
                    "Threads of ONNX Runtime and of DJL's engine (default: ${DEFAULT-VALUE}).")
    private int threads = 2;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "How long to measure each LSTM (default: ${DEFAULT-VALUE}).")
    private double seconds = 6;

    @Option(
            names = {"-s", "--seed"},
            paramLabel = "N",
            description = "Decides weights and input (default: ${DEFAULT-VALUE}).")
    private int seed = 29592;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "Keep the ONNX models in this folder.")
    private Optional<Path> output = Optional.empty();

    @Option(
            names = "--json",
            description = "Print one line of JSON for each LSTM, and nothing else, to stdout.")
    private boolean json;

    private final PrintStream out;
    private final PrintStream messages;

    private DynamicLstmExample(PrintStream out, PrintStream messages) {
        this.out = out;
        this.messages = messages;
    }

    /**
     * Runs the example and exits: 0 if all went well, 2 if the input was bad.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(run(System.out, System.err, args));
    }

    /** Runs the example and returns its exit code. */
    static int run(PrintStream out, PrintStream messages, String... args) {
        return ExampleCommand.run(new DynamicLstmExample(out, messages), out, messages, args);
    }

    @Override
    public Integer call() throws IOException {
        if (length < 1
                || threads < 1
                || !(seconds > 0)
                || dimensions.stream().anyMatch(d -> d < 1)) {
            throw new InputException(
                    "--dimensions, --length, --threads and --seconds must be positive");
        }
        System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
        ConfigList config = NamedConfig.of("lstm", "dynamic").list();
        List<LstmComparison> rows = new ArrayList<>();
        for (int dimension : dimensions) {
            LstmComparison row = compare(dimension, config);
            rows.add(row);
            if (dimension < SMALL) {
                messages.println(warning(row));
            }
        }
        if (json) {
            rows.forEach(row -> out.println(row.toJson()));
        } else {
            out.println(LstmComparison.table(rows));
        }
        return ExitCode.OK;
    }

    private static String warning(LstmComparison row) {
        return String.format(
                Locale.ROOT,
                "warning: %d units are few: the file is only %.2f times smaller, and int8 is %s."
                        + " Below some %d units quantizing the activations costs as much as integer"
                        + " products save",
                row.dimension(),
                row.sizeRatio(),
                row.speedup() < 1
                        ? String.format(Locale.ROOT, "%.2f times SLOWER", 1 / row.speedup())
                        : String.format(Locale.ROOT, "only %.2f times faster", row.speedup()),
                SMALL);
    }

    private LstmComparison compare(int dimension, ConfigList config) throws IOException {
        Path folder = folder();
        Path floatFile = folder.resolve("lstm-" + dimension + "-float.onnx");
        Path int8File = folder.resolve("lstm-" + dimension + "-int8.onnx");
        try (Model model = lstm(dimension);
                NDManager manager = model.getNDManager().newSubManager()) {
            NDList input = new NDList(manager.randomNormal(new Shape(1, length, dimension)));
            OnnxExporter.builder().build().exportFloat(model.getBlock(), floatFile, input);
            float[] trained;
            try (DynamicQuantizer quantizer = new DynamicQuantizer(model, config)) {
                quantizer.compress();
                // it is timed below, in turn with the network in DJL
                OnnxExporter untimed = OnnxExporter.builder().optTimed(0).build();
                DynamicExporter.export(untimed, quantizer, input, int8File);
                trained = predict(model, input).head().toFloatArray();
            }
            List<Timing> timings = time(model, input, floatFile, int8File);
            return new LstmComparison(
                    dimension,
                    length,
                    threads,
                    seed,
                    Files.size(floatFile),
                    Files.size(int8File),
                    timings.get(0),
                    timings.get(1),
                    timings.get(2),
                    outputs(floatFile, input),
                    outputs(int8File, input),
                    trained);
        } finally {
            if (output.isEmpty()) {
                Files.deleteIfExists(floatFile);
                Files.deleteIfExists(int8File);
                Files.deleteIfExists(folder);
            }
        }
    }

    private Path folder() throws IOException {
        return output.isPresent()
                ? Files.createDirectories(output.get())
                : Files.createTempDirectory("lstm");
    }

    /** One layer, weights as PyTorch draws them: uniform within one over the root of the size. */
    private Model lstm(int dimension) {
        LSTM lstm = LSTM.builder().setStateSize(dimension).setNumLayers(1).build();
        Model model = Model.newInstance("lstm", "PyTorch");
        model.getNDManager().getEngine().setRandomSeed(seed);
        UniformInitializer uniform = new UniformInitializer((float) (1 / Math.sqrt(dimension)));
        lstm.setInitializer(uniform, Parameter.Type.WEIGHT);
        lstm.setInitializer(uniform, Parameter.Type.BIAS);
        lstm.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, length, dimension));
        model.setBlock(lstm);
        return model;
    }

    private static NDList predict(Model model, NDList input) {
        ParameterStore store = new ParameterStore(input.head().getManager(), false);
        return model.getBlock().forward(store, new NDList(input), false);
    }

    /** In ONNX Runtime float and int8, and in DJL float, in turn. */
    private List<Timing> time(Model model, NDList input, Path floatFile, Path int8File)
            throws IOException {
        SessionSettings settings = SessionSettings.standard(threads);
        List<RuntimeTensor> inputs = List.of(RuntimeTensor.of(input.head()));
        try (ModelRunner floating =
                        new ModelRunner(Files.readAllBytes(floatFile), settings, inputs);
                ModelRunner integer =
                        new ModelRunner(Files.readAllBytes(int8File), settings, inputs)) {
            return Timing.interleaved(
                    List.of(floating, integer, () -> predictOnce(model, input)), seconds);
        }
    }

    private static void predictOnce(Model model, NDList input) {
        try (NDManager pass = input.head().getManager().newSubManager()) {
            NDArray x = input.head().duplicate();
            x.attach(pass);
            predict(model, new NDList(x)).head().toFloatArray();
        }
    }

    /** With one thread, on which the quantized LSTM's ranges depend for larger batches. */
    private static float[] outputs(Path file, NDList input) {
        try (OnnxSession session = OnnxSession.open(file, SessionSettings.standard(1))) {
            return session.run(List.of(RuntimeTensor.of(input.head())))
                    .values()
                    .iterator()
                    .next()
                    .floats();
        }
    }
}
