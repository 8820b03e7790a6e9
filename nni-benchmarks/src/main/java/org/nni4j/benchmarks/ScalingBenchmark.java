package org.nni4j.benchmarks;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.export.ExportReport;
import org.nni4j.export.OnnxExport;
import org.nni4j.export.OnnxExporter;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Times what is done once for a network, in chains of tiny linear layers with a ReLU after each.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// JMH calls the setups before anything else.
@SuppressWarnings("NullAway.Init")
public class ScalingBenchmark {

    private static final int WIDTH = 4;
    private static final Shape INPUT = new Shape(1, WIDTH);

    /** A float network. */
    @State(Scope.Thread)
    public static class Network {

        /** Linear layers. */
        @Param({"10", "100", "300", "1000"})
        public int layers;

        private Model model;

        /** Builds it. */
        @Setup
        public void setUp() {
            Machine.prepareMemory();
            model = Model.newInstance("chain", "PyTorch");
            SequentialBlock chain = new SequentialBlock();
            for (int i = 0; i < layers; i++) {
                chain.add(Linear.builder().setUnits(WIDTH).build()).add(Activation.reluBlock());
            }
            chain.initialize(model.getNDManager(), DataType.FLOAT32, INPUT);
            model.setBlock(chain);
        }

        /** Frees it. */
        @TearDown
        public void tearDown() {
            model.close();
        }

        private Quantizer quantizer(@Nullable Graph graph) {
            return Quantizers.create(
                    Variant.QAT.algorithm(),
                    model,
                    Variant.QAT.config(),
                    Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0)).build(),
                    QuantizerOptions.standard(),
                    graph);
        }
    }

    /** A float network and its operators. */
    @State(Scope.Thread)
    public static class Traced {

        private Graph graph;

        /** Traces. */
        @Setup
        public void setUp(Network network) {
            graph = GraphTracer.trace(network.model, INPUT);
        }
    }

    /** What is to be closed again. */
    @State(Scope.Thread)
    public static class Opened {

        private Quantizer quantizer;

        /** Takes the quantizers out. */
        @TearDown(Level.Invocation)
        public void tearDown() {
            quantizer.close();
        }
    }

    /** A place to write to. */
    @State(Scope.Thread)
    public static class Folder {

        private Path path;

        /** Makes it. */
        @Setup(Level.Invocation)
        public void setUp() throws IOException {
            path = Files.createTempDirectory("nni4j-export");
        }

        /** Deletes it with all that was written. */
        @TearDown(Level.Invocation)
        public void tearDown() throws IOException {
            try (Stream<Path> files = Files.walk(path)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** A quantized network that has seen data, and a place to write it to. */
    @State(Scope.Thread)
    public static class Trained {

        private Quantizer quantizer;
        private Path folder;
        private NDManager manager;
        private NDList samples;

        /** Quantizes, and computes one training forward. */
        @Setup(Level.Invocation)
        public void setUp(Network network, Folder place) {
            folder = place.path;
            quantizer = network.quantizer(null);
            Model model = quantizer.compress();
            manager = model.getNDManager().newSubManager();
            samples = new NDList(manager.randomNormal(INPUT));
            model.getBlock().forward(new ParameterStore(manager, false), samples, true);
        }

        /** Takes the quantizers out. */
        @TearDown(Level.Invocation)
        public void tearDown() {
            manager.close();
            quantizer.close();
        }
    }

    /**
     * Checks the config list, plans and puts the quantizers in.
     *
     * @return the quantized model
     */
    @Benchmark
    public Model compress(Network network, Opened opened) {
        opened.quantizer = network.quantizer(null);
        return opened.quantizer.compress();
    }

    /**
     * As {@link #compress}, with the network's graph at hand.
     *
     * @return the quantized model
     */
    @Benchmark
    public Model compressTraced(Network network, Traced traced, Opened opened) {
        opened.quantizer = network.quantizer(traced.graph);
        return opened.quantizer.compress();
    }

    /**
     * Traces the float network.
     *
     * @return its operators
     */
    @Benchmark
    public Graph trace(Network network) {
        return GraphTracer.trace(network.model, INPUT);
    }

    /**
     * Writes parameters and calibration, and restores the float network.
     *
     * @return the calibration
     */
    @Benchmark
    public CalibrationConfig exportModel(Trained trained) throws IOException {
        return trained.quantizer.exportModel(
                trained.folder.resolve("model"), trained.folder.resolve("calibration.json"));
    }

    /**
     * Writes the float network as an ONNX model.
     *
     * @param network float
     * @param folder to write to
     * @return what was written
     */
    @Benchmark
    public OnnxExport exportOnnx(Network network, Folder folder) throws IOException {
        return OnnxExporter.export(network.model, folder.path.resolve("chain.onnx"), INPUT);
    }

    /**
     * Writes the quantized network as an ONNX model of integers: compared with the trained one, but
     * not timed.
     *
     * @return what was written
     */
    @Benchmark
    public ExportReport exportInt8(Trained trained) throws IOException {
        return OnnxExporter.builder()
                .optTimed(0)
                // a network that knows nothing has no clear first class
                .optUnverified(true)
                .build()
                .exportQuantized(
                        trained.quantizer, trained.samples, trained.folder.resolve("chain.onnx"));
    }

    /** Returns the names of the benchmarks, in the order of a report. */
    static List<String> names() {
        return List.of(
                "compress", "compressTraced", "trace", "exportModel", "exportOnnx", "exportInt8");
    }
}
