package org.nni4j.export;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nni4j.compression.Quantizer;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.OnnxFile;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxVersion;
import org.nni4j.export.operator.EmissionHooks;
import org.nni4j.export.operator.EmissionProblem;
import org.nni4j.export.operator.NetworkEmitter;
import org.nni4j.export.verification.Verification;
import org.nni4j.graph.Value;

/**
 * Writes a network as an ONNX model.
 *
 * <p>The network is traced, every operator is mapped, and only then is anything written: to a
 * temporary file that takes the target's place. The model is opset 17, has float weights named by
 * the parameters' paths, BatchNorms folded where the graph allows it, and takes any batch size.
 */
public final class OnnxExporter {

    private final boolean fixedBatch;
    private final List<String> inputNames;
    private final List<String> outputNames;
    private final Map<String, String> metadata;
    private final QuantizedExport.Settings settings;

    private OnnxExporter(Builder builder) {
        settings = builder.settings();
        fixedBatch = builder.fixedBatch;
        inputNames = List.copyOf(builder.inputNames);
        outputNames = List.copyOf(builder.outputNames);
        metadata = new LinkedHashMap<>(builder.metadata);
    }

    /**
     * Writes a float model that takes any batch size.
     *
     * @param model with an initialized block that is not quantized at the moment
     * @param file the target; replaced if it exists
     * @param shapes of the inputs, batch first
     * @return what was written
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     * @throws IOException if the file cannot be written
     */
    public static OnnxExport export(Model model, Path file, Shape... shapes) throws IOException {
        return builder().build().exportFloat(model.getBlock(), file, shapes);
    }

    /**
     * Writes a quantized model as integers, compares it with what was trained, and measures it.
     *
     * @param quantizer compressed, and trained or calibrated
     * @param samples inputs to compare with, batch first: real data, a hundred samples or so; left
     *     as they are
     * @param file the target; replaced if it exists
     * @return what was written and found; print it
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     * @throws UnverifiedModelException if the model does not compute what was trained; then nothing
     *     is written
     * @throws IOException if the file cannot be written
     */
    public static ExportReport export(Quantizer quantizer, NDList samples, Path file)
            throws IOException {
        return builder().build().exportQuantized(quantizer, samples, file);
    }

    /**
     * Starts an exporter with other settings.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Writes a float model.
     *
     * @param block initialized, and not quantized at the moment
     * @param file the target; replaced if it exists
     * @param shapes of the inputs, batch first; they are float32
     * @return what was written
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     * @throws IOException if the file cannot be written
     */
    public OnnxExport exportFloat(Block block, Path file, Shape... shapes) throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDList inputs = new NDList();
            for (Shape shape : shapes) {
                inputs.add(manager.ones(shape, DataType.FLOAT32));
            }
            return exportFloat(block, file, inputs);
        }
    }

    /**
     * Writes a float model.
     *
     * @param block initialized, and not quantized at the moment
     * @param file the target; replaced if it exists
     * @param inputs dummy inputs, batch first; left as they are
     * @return what was written
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     * @throws IOException if the file cannot be written
     */
    public OnnxExport exportFloat(Block block, Path file, NDList inputs) throws IOException {
        OnnxFile.checkTarget(file);
        TracedNetwork network = trace(block, inputs);
        return export(network, file, EmissionHooks.FLOAT, OnnxVersion.STANDARD);
    }

    /**
     * Writes a quantized model as integers, compares it with what was trained, and measures it.
     *
     * @param quantizer compressed, and trained or calibrated
     * @param samples inputs to compare with, batch first: real data, a hundred samples or so; left
     *     as they are
     * @param file the target; replaced if it exists
     * @return what was written and found; print it
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     * @throws UnverifiedModelException if the model does not compute what was trained, unless
     *     {@link Builder#optUnverified} allows that; then nothing is written
     * @throws IOException if the file cannot be written
     */
    public ExportReport exportQuantized(Quantizer quantizer, NDList samples, Path file)
            throws IOException {
        OnnxFile.checkTarget(file);
        return new QuantizedExport(this, settings, quantizer, samples).write(file);
    }

    QuantizedExport.Settings settings() {
        return settings;
    }

    /** Whether models take the batch size of the dummy inputs alone. */
    boolean fixedBatch() {
        return fixedBatch;
    }

    /**
     * Traces a network as this exporter needs it.
     *
     * @param block initialized, and not quantized at the moment
     * @param inputs dummy inputs, batch first; left as they are
     * @return the network at one batch size, or at any
     * @throws OnnxExportException if it was to be at any, and the network is not the same at all
     */
    TracedNetwork trace(Block block, NDList inputs) {
        if (fixedBatch) {
            return TracedNetwork.fixed(block, inputs);
        }
        TracedNetwork network = TracedNetwork.anyBatch(block, inputs);
        if (!network.obstacles().isEmpty()) {
            throw new OnnxExportException(
                    network.obstacles().stream()
                            .map(
                                    o ->
                                            "no model for any batch size: "
                                                    + o
                                                    + "; optFixedBatch(true) exports one for the"
                                                    + " dummy input's")
                            .toList());
        }
        return network;
    }

    /**
     * Writes a traced network.
     *
     * @param network as {@link #trace} made it
     * @param file the target; replaced if it exists
     * @param hooks what differs from the float export
     * @param version of the format
     * @return what was written
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     * @throws IOException if the file cannot be written
     */
    OnnxExport export(TracedNetwork network, Path file, EmissionHooks hooks, OnnxVersion version)
            throws IOException {
        return draft(network, hooks, version, Map.of()).write(file);
    }

    /**
     * Writes a traced network into a graph, and not yet into a file.
     *
     * @param network as {@link #trace} made it
     * @param hooks what differs from the float export
     * @param version of the format
     * @param more metadata beside the user's
     * @return the graph
     * @throws OnnxExportException if the network cannot be exported; the message lists every reason
     */
    Draft draft(
            TracedNetwork network,
            EmissionHooks hooks,
            OnnxVersion version,
            Map<String, String> more) {
        List<String> ins = names(inputNames, "input", network.graph().inputs());
        List<String> outs = names(outputNames, "output", network.graph().outputs());
        OnnxGraph onnx = new OnnxGraph(version);
        NetworkEmitter emitter = new NetworkEmitter(network, onnx, hooks, ins);
        ReadbackCheck readbacks = ReadbackCheck.of(network.graph());
        List<String> problems = new ArrayList<>(readbacks.problems());
        problems.addAll(FloatTypes.problems(network));
        emitter.unmapped().forEach(p -> problems.add(p.toString()));
        if (!problems.isEmpty()) {
            throw new OnnxExportException(problems);
        }
        List<EmissionProblem> found = emitter.emit(outs);
        if (!found.isEmpty()) {
            throw new OnnxExportException(found.stream().map(EmissionProblem::toString).toList());
        }
        more.forEach(onnx::metadata);
        metadata.forEach(onnx::metadata);
        return new Draft(onnx, ins, outs, network.anyBatch(), readbacks.notes());
    }

    /** A graph that is complete but in no file yet. */
    record Draft(
            OnnxGraph graph,
            List<String> inputs,
            List<String> outputs,
            boolean anyBatch,
            List<String> notes) {

        byte[] bytes() {
            return OnnxFile.bytes(graph, "nni4j", producerVersion());
        }

        OnnxExport write(Path file) throws IOException {
            return as(file, OnnxFile.write(graph, "nni4j", producerVersion(), file));
        }

        /** What there is to say of it once it is a file. */
        OnnxExport as(Path file, long bytes) {
            return new OnnxExport(
                    file,
                    bytes,
                    graph.opset(),
                    inputs,
                    outputs,
                    anyBatch,
                    graph.operatorCounts(),
                    notes);
        }
    }

    private static List<String> names(List<String> given, String prefix, List<Value> values) {
        if (!given.isEmpty() && given.size() != values.size()) {
            throw new IllegalArgumentException(
                    given.size()
                            + " "
                            + prefix
                            + " names "
                            + given
                            + "; the network has "
                            + values.size()
                            + " "
                            + prefix
                            + "s");
        }
        return given.isEmpty()
                ? IntStream.range(0, values.size()).mapToObj(i -> prefix + i).toList()
                : given;
    }

    private static String producerVersion() {
        Package home = OnnxExporter.class.getPackage();
        return Optional.ofNullable(home.getImplementationVersion()).orElse("development");
    }

    /** Settings of an exporter. */
    public static final class Builder {

        private boolean fixedBatch;
        private List<String> inputNames = List.of();
        private List<String> outputNames = List.of();
        private final Map<String, String> metadata = new LinkedHashMap<>();
        private int threads = Runtime.getRuntime().availableProcessors();
        private double timedSeconds = 2;
        private List<Integer> batchSizes = List.of(1, 32);
        private Verification.Limits limits = Verification.Limits.STANDARD;
        private boolean unverified;
        private boolean fourBitWeights;
        private boolean sevenBitWeights;

        private Builder() {}

        /**
         * Writes a model for the batch size of the dummy inputs alone: for a quantized model, that
         * of the samples, of which every one has its axes as the network takes them.
         *
         * @param value false by default
         * @return this
         */
        public Builder optFixedBatch(boolean value) {
            fixedBatch = value;
            return this;
        }

        /**
         * Names the model's inputs.
         *
         * @param names as many as the network has inputs; {@code input0}, … by default
         * @return this
         */
        public Builder optInputNames(String... names) {
            inputNames = List.of(names);
            return this;
        }

        /**
         * Names the model's outputs.
         *
         * @param names as many as the network has outputs; {@code output0}, … by default
         * @return this
         */
        public Builder optOutputNames(String... names) {
            outputNames = List.of(names);
            return this;
        }

        /**
         * Adds an entry to the model's metadata.
         *
         * @param key of the entry
         * @param value of the entry
         * @return this
         */
        public Builder optMetadata(String key, String value) {
            metadata.put(key, value);
            return this;
        }

        /**
         * Sets the threads that ONNX Runtime is checked and timed with.
         *
         * @param count at least 1; the processors of this machine by default
         * @return this
         */
        public Builder optThreads(int count) {
            threads = count;
            return this;
        }

        /**
         * Sets how long a quantized model is timed. One with a fixed batch is timed at its own size
         * instead; if it is dynamically quantized, not at all.
         *
         * @param seconds for each batch size; 2 by default, 0 to time nothing
         * @param sizes of the batches; 1 and 32 by default
         * @return this
         */
        public Builder optTimed(double seconds, int... sizes) {
            timedSeconds = seconds;
            batchSizes = Arrays.stream(sizes).boxed().toList();
            return this;
        }

        /**
         * Sets what a quantized model must keep to be called verified; a dynamically quantized one
         * has limits of its own.
         *
         * @param value {@link Verification.Limits#STANDARD} by default
         * @return this
         */
        public Builder optLimits(Verification.Limits value) {
            limits = value;
            return this;
        }

        /**
         * Writes a quantized model even if it does not compute what was trained; the report says
         * that it is not verified.
         *
         * @param value false by default
         * @return this
         */
        public Builder optUnverified(boolean value) {
            unverified = value;
            return this;
        }

        /**
         * Stores weights of four bits and less in four bits instead of eight. The file needs opset
         * 21 and is smaller; runtimes without kernels for it turn such weights into floats and are
         * slower.
         *
         * @param value false by default
         * @return this
         */
        public Builder optFourBitWeights(boolean value) {
            fourBitWeights = value;
            return this;
        }

        /**
         * Rounds weights of eight bits to seven, for processors without VNNI: their instruction
         * adds two products in 16 bits, which then cannot saturate. The outputs of the model that
         * is written are compared with the trained network's; they are further from them than with
         * eight bits. A network trained with seven bits, as by the key {@code reduce_range}, needs
         * no such rounding.
         *
         * @param value false by default
         * @return this
         */
        public Builder optSevenBitWeights(boolean value) {
            sevenBitWeights = value;
            return this;
        }

        private QuantizedExport.Settings settings() {
            return new QuantizedExport.Settings(
                    threads,
                    timedSeconds,
                    batchSizes,
                    limits,
                    unverified,
                    fourBitWeights,
                    sevenBitWeights,
                    QuantizedExport.Settings.MANY_ELEMENTS);
        }

        /**
         * Makes the exporter.
         *
         * @return an exporter that can be used again
         */
        public OnnxExporter build() {
            return new OnnxExporter(this);
        }
    }
}
