package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.optimizer.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.checkpoint.RateTrackers;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.fakequant.OptimizerWatch;
import org.nni4j.fakequant.Quantized;
import org.nni4j.fakequant.StepClock;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.graph.Graph;
import org.nni4j.layer.Attachment;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.placement.QuantizationPlan;
import org.nni4j.placement.QuantizationPlanner;
import org.nni4j.quantization.QuantizationKernels;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Quantizes one model by one algorithm.
 *
 * <p>Life: construction checks the config list completely and makes the {@link #plan()}; {@link
 * #compress()} puts quantizers into the model; the model is then trained with {@link #optimizer()},
 * or calibrated, and evaluated as ever; {@link #exportModel} writes it and takes the quantizers out
 * again. {@code compress()} after an export goes on where it was left. {@link #close()} takes the
 * quantizers out and frees their arrays; the model stays the caller's.
 *
 * <p>One thread at a time may call these methods; the quantized model itself may predict from
 * several.
 */
public class Quantizer implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(Quantizer.class);

    private final Model model;
    private final QuantizationAlgorithm algorithm;
    private final ConfigList config;
    private final LayerTree tree;
    private final QuantizationPlan plan;
    private final StepClock clock = new StepClock();
    private final OptimizerWatch watch;
    private final NDManager manager;
    private final @Nullable StepCountingOptimizer optimizer;
    private final RateTrackers trackers;
    private final Wrapping wrapping;
    private final Map<String, Quantized> layers;
    private final AlgorithmContext context;
    private final @Nullable Graph graph;
    private @Nullable Map<Layer, Function<Block, Block>> wrappers;
    private @Nullable Attachment attachment;
    private final NumberCheck numbers;
    private boolean floatStepSaid;
    private boolean closed;

    /**
     * Makes a quantizer for a model that was not traced; the model is only read.
     *
     * @param algorithm what to quantize by
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @param optimizer the user's optimizer; null for algorithms that do not train
     * @param options everything else
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     * @throws IllegalArgumentException if the model has no block, or the optimizer is missing
     */
    protected Quantizer(
            QuantizationAlgorithm algorithm,
            Model model,
            ConfigList config,
            @Nullable Optimizer optimizer,
            QuantizerOptions options) {
        this(algorithm, model, config, optimizer, options, null);
    }

    /**
     * Makes a quantizer; the model is only read.
     *
     * @param algorithm what to quantize by
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @param optimizer the user's optimizer; null for algorithms that do not train
     * @param options everything else
     * @param graph the model as traced with a dummy input, for BatchNorm folding; null if it was
     *     not
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     * @throws IllegalArgumentException if the model has no block, or the optimizer is missing
     */
    protected Quantizer(
            QuantizationAlgorithm algorithm,
            Model model,
            ConfigList config,
            @Nullable Optimizer optimizer,
            QuantizerOptions options,
            @Nullable Graph graph) {
        if (model.getBlock() == null) {
            throw new IllegalArgumentException(
                    "model \"" + model.getName() + "\" has no block; call model.setBlock first");
        }
        if (algorithm.capabilities().needsOptimizer() && optimizer == null) {
            throw new IllegalArgumentException(
                    "algorithm \"" + algorithm.name() + "\" trains and needs the optimizer");
        }
        this.model = model;
        this.algorithm = algorithm;
        this.graph = graph;
        this.config = config;
        this.tree = LayerTree.of(model);
        this.manager = model.getNDManager().newSubManager();
        this.manager.setName("nni4j " + algorithm.name());
        try {
            QuantizationKernels kernels = QuantizationKernels.create(options.kernels(), manager);
            this.plan =
                    new QuantizationPlanner(algorithm, options.defaults(), kernels.name())
                            .plan(tree, config, graph);
            this.context = new AlgorithmContext(manager, kernels, options.seed());
        } catch (RuntimeException e) {
            manager.close();
            throw e;
        }
        // An algorithm without steps may be trained by whatever optimizer there is.
        this.watch =
                new OptimizerWatch(
                        optimizer == null ? List.of() : model.getBlock().getParameters().values(),
                        clock);
        this.optimizer =
                optimizer == null
                        ? null
                        : new StepCountingOptimizer(
                                optimizer, clock, this::stepped, this::isCompressed);
        this.trackers = optimizer == null ? RateTrackers.none() : RateTrackers.of(optimizer);
        this.wrapping =
                new Wrapping(
                        tree,
                        graph,
                        plan,
                        algorithm,
                        context,
                        new Wrapping.Steps(clock, watch, this.optimizer),
                        options.checks());
        this.layers = wrapping.byPath();
        this.numbers = new NumberCheck(plan, layers);
    }

    /**
     * Returns what this quantizer does to each layer; print it to look at it.
     *
     * @return known from construction on
     */
    public final QuantizationPlan plan() {
        return plan;
    }

    /**
     * Returns what was asked for.
     *
     * @return the config list given
     */
    public final ConfigList config() {
        return config;
    }

    /**
     * Returns the model's operators as traced with the dummy input.
     *
     * @return empty if no dummy input was given
     */
    public final Optional<Graph> graph() {
        return Optional.ofNullable(graph);
    }

    /**
     * Returns the model this quantizer works on.
     *
     * @return the model given
     */
    public final Model model() {
        return model;
    }

    /**
     * Returns the optimizer to train with: the user's own, with its steps counted. Give it to
     * {@code DefaultTrainingConfig.optOptimizer}.
     *
     * @return always the same one
     * @throws IllegalStateException if this quantizer was made without an optimizer
     */
    public final Optimizer optimizer() {
        if (optimizer == null) {
            throw new IllegalStateException("this quantizer was made without an optimizer");
        }
        return optimizer;
    }

    /**
     * Returns the number of the step that is being computed.
     *
     * @return 1 + completed optimizer steps
     */
    public final long step() {
        return clock.step();
    }

    /**
     * Puts the quantizers into the model: all of them, or none if that fails.
     *
     * @return the model, now quantized
     * @throws IllegalStateException if the model is quantized already, or this quantizer is closed
     */
    public Model compress() {
        checkOpen();
        if (attachment != null) {
            throw new IllegalStateException("the model is quantized already");
        }
        boolean first = layers.isEmpty();
        try {
            if (wrappers == null) {
                wrappers = wrapping.wrappers();
            }
            attachment = tree.attach(wrappers);
        } catch (RuntimeException e) {
            if (first) {
                wrapping.close();
                wrappers = null;
            }
            throw e;
        }
        watch.reset();
        floatStepSaid = false;
        return model;
    }

    /**
     * Tells whether the quantizers are in the model.
     *
     * @return true between {@link #compress()} and export, restore or close
     */
    protected final boolean isCompressed() {
        return attachment != null;
    }

    /**
     * Returns how the model is quantized as of now.
     *
     * @return every quantized tensor that has seen data
     * @throws IllegalStateException if {@link #compress()} was never called, or naming the first
     *     layer whose range, weight or learned parameter is NaN or infinite
     */
    public CalibrationConfig calibration() {
        checkCompressed();
        numbers.check(clock.step());
        if (model.getBlock().isInitialized()) {
            layers.values().forEach(Quantized::describeWeights);
        }
        return new Calibrator(algorithm, quantizers(), clock).calibration();
    }

    /**
     * Takes a calibration over, into a model that {@link #compress()} prepared. Evaluation then
     * gives the outputs of the model it came from, bit for bit; further training goes on from it.
     *
     * @param calibration of a network with the same layers, quantized alike
     * @throws org.nni4j.config.ConfigException listing every layer or tensor that is missing,
     *     unknown or quantized otherwise, or naming the first one that this algorithm cannot take;
     *     then nothing is changed
     * @throws IllegalStateException if {@link #compress()} was not called
     */
    public void loadCalibration(CalibrationConfig calibration) {
        checkCompressed();
        String hash = calibration.parametersHash();
        if (!hash.isEmpty()
                && model.getBlock().isInitialized()
                && !hash.equals(new NetworkState(tree).hash())) {
            throw new ConfigException(
                    "calibration.parameters_sha256",
                    "the network's parameters are others than those this calibration was exported"
                            + " with; load these first");
        }
        new Calibrator(algorithm, quantizers(), clock).load(calibration);
        numbers.reset();
    }

    /**
     * Takes note of what every quantizer of a tensor knows.
     *
     * @return goes back to it
     * @throws IllegalStateException if {@link #compress()} was not called
     */
    protected final Runnable remember() {
        checkCompressed();
        QuantizerStates states = new QuantizerStates(quantizers());
        List<SavedQuantizer> now = states.all();
        return () -> states.load(now);
    }

    /**
     * Does something to each tensor's quantizer together with that of another network at the same
     * place: to all of them, or to none if that fails.
     *
     * @param other quantizes a network with the same parameters alike, and is only read
     * @param action is given this network's quantizer, then the other's
     * @throws IllegalArgumentException naming the first difference, if the other's network or plan
     *     is not this one's
     * @throws IllegalStateException if {@link #compress()} was not called on both
     */
    protected final void withEachOf(
            Quantizer other, BiConsumer<TensorQuantizer, TensorQuantizer> action) {
        Runnable back = remember();
        other.checkCompressed();
        checkAlike(other);
        PlacedQuantizers own = quantizers();
        try {
            other.quantizers().forEach((place, theirs) -> action.accept(own.at(place), theirs));
        } catch (RuntimeException e) {
            back.run();
            throw e;
        }
    }

    private void checkAlike(Quantizer other) {
        List<String> differences =
                CheckpointCheck.differences(
                        Resumption.described(other.plan),
                        Resumption.described(plan),
                        "the other network");
        if (!differences.isEmpty()) {
            throw new IllegalArgumentException(differences.get(0));
        }
        if (!new NetworkState(tree).hash().equals(new NetworkState(other.tree).hash())) {
            throw new IllegalArgumentException(
                    "the other network's parameters are not this one's; expected a copy of it");
        }
    }

    private PlacedQuantizers quantizers() {
        return new PlacedQuantizers(plan, layers);
    }

    /**
     * Takes an exported calibration over, into a model that {@link #compress()} prepared and whose
     * parameters are those exported with it.
     *
     * @param file written by {@link #exportModel}. If an export was interrupted between its two
     *     files, the calibration that belongs to the network's parameters is found beside it
     * @throws IOException if it cannot be read
     * @throws org.nni4j.config.ConfigException listing every difference, also if it belongs to
     *     other parameters; then nothing is changed
     * @throws IllegalStateException if {@link #compress()} was not called
     */
    public void loadCalibration(Path file) throws IOException {
        checkCompressed();
        String hash = new NetworkState(tree).hash();
        Path waiting = ExportedFiles.waiting(file.toAbsolutePath(), hash);
        boolean interrupted = Files.isRegularFile(waiting, LinkOption.NOFOLLOW_LINKS);
        loadCalibration(CalibrationConfig.read(interrupted ? waiting : file));
    }

    /**
     * Writes everything that training needs to go on exactly, with the model, in one file: the
     * network's float parameters, ranges, learned parameters, draws of random numbers, completed
     * steps, the optimizer's memory, and what the run was begun with. The model stays quantized.
     *
     * <p>The file is a parameter file of DJL's as well: {@code Model.load} reads it into the plain
     * float network. docs/checkpoint.md describes it.
     *
     * @param modelPath folder and name: {@code run/lenet} is written as {@code
     *     run/lenet-0000.params}, in the place of one that is there, at once and whole
     * @throws IOException if it cannot be written; then nothing has changed
     * @throws IllegalStateException if {@link #compress()} was never called, the model is not
     *     initialized, or the optimizer keeps something that cannot be saved, or naming the first
     *     layer whose range, weight or learned parameter is NaN or infinite; then nothing has
     *     changed
     */
    public void saveCheckpoint(Path modelPath) throws IOException {
        checkCompressed();
        checkInitialized();
        // A checkpoint of NaN would take the place of one that training can go on from.
        numbers.check(clock.step());
        new CheckpointFile(modelPath).write(model, model.getBlock(), resumption().checkpoint());
    }

    /**
     * Goes back to a checkpoint, in a model that {@link #compress()} prepared. Training then goes
     * on as if it had never stopped, bit for bit on the same machine, and as if nothing had come
     * after the checkpoint where it did: inputs and outputs that had seen no data then have seen
     * none, and learning-rate trackers begin anew. Parameters are overwritten in place, so a
     * trainer on one device may be there already.
     *
     * @param modelPath what {@link #saveCheckpoint} was given
     * @throws org.nni4j.checkpoint.CheckpointException if the file is no checkpoint or damaged, or
     *     is of another network, config list, algorithm, seed or optimizer, with a line for each
     *     difference; then nothing has changed
     * @throws IOException if it cannot be read
     * @throws IllegalStateException if {@link #compress()} was not called or the model is not
     *     initialized
     */
    public void loadCheckpoint(Path modelPath) throws IOException {
        checkCompressed();
        checkInitialized();
        CheckpointFile file = new CheckpointFile(modelPath);
        resumption().load(file.read(), file.toString());
        watch.reset();
        numbers.reset();
    }

    private Resumption resumption() {
        return new Resumption(
                model,
                new NetworkState(tree),
                quantizers(),
                plan,
                config.toJson(),
                context.seed(),
                clock,
                Optional.ofNullable(optimizer).map(StepCountingOptimizer::counted),
                trackers);
    }

    private void checkCompressed() {
        checkOpen();
        if (layers.isEmpty()) {
            throw new IllegalStateException("call compress() first");
        }
    }

    private void checkInitialized() {
        if (!model.getBlock().isInitialized()) {
            throw new IllegalStateException(
                    "the model is not initialized; call block.initialize(manager, dataType, shape)"
                            + " or load its parameters first");
        }
    }

    /**
     * Writes the original network with its float master weights, and the calibration; then takes
     * the quantizers out of the model, which is the original float network again. {@link
     * #compress()} puts them back as they were.
     *
     * @param modelPath folder and name: {@code out/lenet} is written as {@code
     *     out/lenet-0000.params}, in DJL's format
     * @param calibrationPath where the calibration goes, as JSON
     * @return the calibration written
     * @throws IOException if a file cannot be written; then model and files are as they were
     * @throws IllegalStateException if {@link #compress()} was never called or the model is not
     *     initialized
     */
    public CalibrationConfig exportModel(Path modelPath, Path calibrationPath) throws IOException {
        CalibrationConfig calibration = exportedCalibration();
        write(modelPath, calibrationPath, calibration, null);
        return calibration;
    }

    private CalibrationConfig exportedCalibration() {
        checkCompressed();
        checkInitialized();
        return calibration().with(new NetworkState(tree).hash());
    }

    private void write(
            Path modelPath,
            Path calibrationPath,
            CalibrationConfig calibration,
            ExportedFiles.@Nullable Companion companion)
            throws IOException {
        // Wrappers save the bytes of what they wrap, so the model can be written before it is
        // restored: if writing fails, nothing has happened.
        new ExportedFiles(modelPath, calibrationPath)
                .write(model, model.getBlock(), calibration, companion);
        detach();
    }

    /**
     * Writes what {@link #exportModel(Path, Path)} writes, and before it the quantized network as
     * an ONNX model of integers, compared with the trained one on drawn inputs: normal numbers, on
     * which the two may disagree about the largest output. Needs the artifact {@code
     * org.nni4j:nni-export}, whose {@code OnnxExporter} has settings and reports what it found.
     *
     * @param modelPath folder and name of the float network
     * @param calibrationPath where the calibration goes, as JSON
     * @param onnxPath where the ONNX model goes
     * @param inputShapes of the model's inputs, batch first; they are float32
     * @return the calibration written
     * @throws RuntimeException of the exporter; then model and files are as they were: {@code
     *     org.nni4j.export.OnnxExportException} if the network cannot be exported, {@code
     *     org.nni4j.export.UnverifiedModelException} if the ONNX model does not compute what was
     *     trained
     * @throws IllegalArgumentException if the network does not take float32 inputs of these shapes
     * @throws IOException if a file cannot be written; then model and files are as they were
     * @throws IllegalStateException if {@link #compress()} was never called, the model is not
     *     initialized, or no exporter is on the class path
     */
    public CalibrationConfig exportModel(
            Path modelPath, Path calibrationPath, Path onnxPath, Shape... inputShapes)
            throws IOException {
        return exportModel(
                modelPath,
                calibrationPath,
                onnxPath,
                (exporter, file) -> exporter.export(this, file, inputShapes));
    }

    /**
     * Writes what {@link #exportModel(Path, Path)} writes, and before it the quantized network as
     * an ONNX model of integers, compared with the trained one on samples of yours. Needs the
     * artifact {@code org.nni4j:nni-export}.
     *
     * @param modelPath folder and name of the float network
     * @param calibrationPath where the calibration goes, as JSON
     * @param onnxPath where the ONNX model goes
     * @param samples inputs of the model, batch first: real data, a hundred samples or so; left as
     *     they are
     * @return the calibration written
     * @throws RuntimeException of the exporter; then model and files are as they were: {@code
     *     org.nni4j.export.OnnxExportException} if the network cannot be exported, {@code
     *     org.nni4j.export.UnverifiedModelException} if the ONNX model does not compute what was
     *     trained
     * @throws IOException if a file cannot be written; then model and files are as they were
     * @throws IllegalStateException if {@link #compress()} was never called, the model is not
     *     initialized, or no exporter is on the class path
     */
    public CalibrationConfig exportModel(
            Path modelPath, Path calibrationPath, Path onnxPath, NDList samples)
            throws IOException {
        return exportModel(
                modelPath,
                calibrationPath,
                onnxPath,
                (exporter, file) -> exporter.export(this, file, samples));
    }

    /** What an exporter is asked for. */
    @FunctionalInterface
    private interface ExporterCall {
        void export(ModelExporter exporter, Path file) throws IOException;
    }

    private CalibrationConfig exportModel(
            Path modelPath, Path calibrationPath, Path onnxPath, ExporterCall call)
            throws IOException {
        ModelExporter exporter = ModelExporter.find();
        Path target = onnxPath.toAbsolutePath();
        Path folder = ModelFiles.folder(target);
        CalibrationConfig calibration = exportedCalibration();
        ModelFiles.refuseFolder(target);
        ModelFiles.inFolders(
                List.of(folder),
                () -> {
                    try (Staging staging = Staging.in(folder)) {
                        Path file = staging.files().resolve(ModelFiles.name(target));
                        call.export(exporter, file);
                        write(
                                modelPath,
                                calibrationPath,
                                calibration,
                                new ExportedFiles.Companion(staging, file, target));
                    }
                });
        return calibration;
    }

    /**
     * Takes the quantizers out of the model, which is the original float network again. Does
     * nothing where it is.
     *
     * <p>A trainer may go on with the float network. What quantizers learned and tracked rests
     * until {@link #compress()}.
     */
    public void restore() {
        checkOpen();
        detach();
    }

    /**
     * Looks at what the model computes with, for exporters.
     *
     * @return good until this quantizer is closed
     * @throws IllegalStateException unless {@link #compress()} was called and the quantizers are in
     *     the model, which is initialized
     */
    public final Inspection inspect() {
        checkOpen();
        if (attachment == null || !model.getBlock().isInitialized()) {
            throw new IllegalStateException(
                    "the model is not quantized, or not initialized; call compress() first");
        }
        return new Inspection(model, layers, this::checkAttached, this::whileDetached);
    }

    private void checkAttached() {
        checkOpen();
        if (attachment == null) {
            throw new IllegalStateException(
                    "the model is not quantized any more; call compress() first");
        }
    }

    private void whileDetached(Runnable action) {
        checkAttached();
        detach();
        try {
            action.run();
        } finally {
            attachment = tree.attach(Objects.requireNonNull(wrappers));
        }
    }

    private void detach() {
        if (attachment != null) {
            attachment.detach();
            attachment = null;
        }
    }

    private void stepped() {
        numbers.stepped(clock.step() - 1);
        if (attachment == null && !floatStepSaid && !closed) {
            floatStepSaid = true;
            logger.warn(
                    "the model is trained in float: its quantizers are not attached; call"
                            + " compress() to put them in");
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("this quantizer is closed");
        }
    }

    /**
     * Takes the quantizers out of the model and frees their arrays. The model stays open, and so
     * does its trainer, which may go on in float; learned parameters that it has met stay allocated
     * until it is closed, and are not updated.
     */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            detach();
            wrapping.close();
            manager.close();
        }
    }
}
