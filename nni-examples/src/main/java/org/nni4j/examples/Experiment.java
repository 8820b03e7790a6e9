package org.nni4j.examples;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.training.optimizer.Optimizer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.export.OnnxExportException;
import org.nni4j.export.UnverifiedModelException;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;

/**
 * The story of both examples: a float network is trained or loaded, quantized, trained on and
 * measured.
 */
final class Experiment {
    private static final float MOMENTUM = 0.9f;
    private static final String OBSERVER = "observer";
    private static final int CALIBRATION_PICTURES = 100;

    private final ExampleOptions options;
    private final ExampleDefaults defaults;
    private final String network;
    private final PrintStream out;
    private final PrintStream messages;
    private final int epochs;
    private final NamedConfig config;
    private final Pictures pictures;

    /**
     * Checks all input and reads the pictures.
     *
     * @param options what the user asked for
     * @param defaults what holds where the user did not say
     * @param network the network's name
     * @param source gives what it learns from, once all else has been checked
     * @param out receives the plan, unless the options ask for JSON
     * @param messages receives progress
     * @throws InputException if something the user gave cannot be used
     * @throws org.nni4j.config.ConfigException if the config list is not one
     */
    Experiment(
            ExampleOptions options,
            ExampleDefaults defaults,
            String network,
            Supplier<Pictures> source,
            PrintStream out,
            PrintStream messages) {
        this.options = options;
        this.defaults = defaults;
        this.network = network;
        this.out = out;
        this.messages = messages;
        options.check();
        this.epochs = epochs(options, defaults);
        if (floatEpochs() == 0 && options.floatRate.isPresent()) {
            throw new InputException(
                    "--float-rate: "
                            + options.floatRate.get()
                            + "; nothing is trained in float without --float-epochs");
        }
        this.config = NamedConfig.of(options, defaults);
        // hours of training should not end at a folder that cannot be written
        options.output.ifPresent(Experiment::make);
        options.onnx.ifPresent(Experiment::checkTarget);
        Pictures all = source.get();
        this.pictures = options.limit.map(all::limitedTo).orElse(all);
    }

    /**
     * Runs it all.
     *
     * @param block a new block, not initialized
     * @return the figures
     */
    Report run(Block block) {
        long begin = System.nanoTime();
        startEngine();
        try (Model model = Model.newInstance(network, "PyTorch")) {
            model.setBlock(block);
            block.initialize(
                    model.getNDManager(),
                    DataType.FLOAT32,
                    FloatTraining.inputShape(pictures.training()));
            // a config that does not fit the network is told before anything is trained
            quantizer(model).close();
            makeFloat(model);
            double floatAccuracy = accuracy(model, "float test");
            try (Quantizer quantizer = quantizer(model)) {
                final ParameterBytes bytes = ParameterBytes.of(model, quantizer.plan());
                double quantizedAccuracy = quantize(quantizer);
                Report report =
                        new Report(
                                pictures.description(),
                                network,
                                options.algorithm,
                                config.name(),
                                options.seed,
                                floatEpochs(),
                                epochs,
                                floatAccuracy,
                                quantizedAccuracy,
                                bytes.inFloat(),
                                bytes.quantized(),
                                secondsSince(begin),
                                Optional.empty());
                // what was trained is kept even if it cannot become an ONNX model
                write(quantizer, report);
                if (!options.toOnnx()) {
                    return report;
                }
                Report whole = report.with(onnx(quantizer), secondsSince(begin));
                writeReport(whole);
                return whole;
            }
        }
    }

    private static double secondsSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    private double quantize(Quantizer quantizer) {
        if (!options.json) {
            out.println(quantizer.plan());
        }
        if (quantizer instanceof ObserverQuantizer observer) {
            calibrate(observer);
        }
        quantizer.compress();
        train(quantizer);
        return accuracy(quantizer.model(), "quantized test");
    }

    private OnnxResult onnx(Quantizer quantizer) {
        messages.println("exporting to ONNX, comparing and timing");
        try {
            int processors = Runtime.getRuntime().availableProcessors();
            return new OnnxStage(pictures, processors).run(quantizer, options.onnx);
        } catch (OnnxExportException | UnverifiedModelException e) {
            throw new InputException("--onnx: " + e.getMessage());
        } catch (IOException e) {
            throw InputException.unreadable(
                    "--onnx", options.onnx.orElse(Path.of("temporary file")), e);
        }
    }

    private void startEngine() {
        // DJL asks the cloud whether it runs there unless told not to
        System.setProperty("OPT_OUT_TRACKING", "true");
        // the engine reads its thread count once, when it is first used
        int threads = options.threads.orElse(defaults.threads());
        System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
        Engine.getEngine("PyTorch").setRandomSeed(options.seed);
    }

    private static int epochs(ExampleOptions options, ExampleDefaults defaults) {
        boolean trains = trains(options.algorithm);
        if (!trains && options.epochs.orElse(0) > 0) {
            throw new InputException(
                    String.format(
                            "--epochs: %d; algorithm \"%s\" does not train, expected 0",
                            options.epochs.orElseThrow(), options.algorithm));
        }
        if (!trains) {
            refuse("--rate", options.rate, "does not train", options.algorithm);
            refuse("--weight-decay", options.weightDecay, "does not train", options.algorithm);
        }
        if (!options.algorithm.equals(OBSERVER)) {
            refuse("--calibration", options.calibration, "does not calibrate", options.algorithm);
        }
        return trains ? options.epochs.orElse(defaults.epochs()) : 0;
    }

    private static void refuse(String option, Optional<?> value, String reason, String algorithm) {
        if (value.isPresent()) {
            throw new InputException(
                    String.format(
                            "%s: %s; algorithm \"%s\" %s", option, value.get(), algorithm, reason));
        }
    }

    private int floatEpochs() {
        int otherwise = options.checkpoint.isPresent() ? 0 : defaults.floatEpochs();
        return options.floatEpochs.orElse(otherwise);
    }

    private static boolean trains(String algorithm) {
        try {
            return Algorithms.find(algorithm).capabilities().needsOptimizer();
        } catch (IllegalArgumentException e) {
            throw new InputException(String.valueOf(e.getMessage()));
        }
    }

    private Quantizer quantizer(Model model) {
        QuantizerOptions standard = QuantizerOptions.standard().withSeed(options.seed);
        if (options.algorithm.equals(OBSERVER)) {
            if (!isTraced()) {
                return new ObserverQuantizer(model, config.list(), standard);
            }
            try (NDManager scope = model.getNDManager().newSubManager()) {
                NDList dummy =
                        new NDList(scope.zeros(FloatTraining.inputShape(pictures.training())));
                return new ObserverQuantizer(model, config.list(), standard, dummy);
            }
        }
        int steps = Math.max(1, epochs * pictures.trainingBatches(options.batchSize).count());
        Optimizer optimizer =
                NesterovSgd.builder(
                                new WarmUpCosine(
                                        options.rate.orElse(defaults.rate()), steps / 10, steps),
                                MOMENTUM)
                        .optWeightDecays(options.weightDecay.orElse(defaults.weightDecay()))
                        .build();
        Graph graph =
                isTraced()
                        ? GraphTracer.trace(model, FloatTraining.inputShape(pictures.training()))
                        : null;
        return Quantizers.create(
                options.algorithm, model, config.list(), optimizer, standard, graph);
    }

    /** What runs in integers must have been trained so: residual adds are seen in a trace only. */
    private boolean isTraced() {
        return options.fold || options.toOnnx();
    }

    private void makeFloat(Model model) {
        if (options.checkpoint.isPresent()) {
            load(model, options.checkpoint.get());
            if (floatEpochs() == 0) {
                return;
            }
        }
        new FloatTraining(
                        floatEpochs(),
                        options.floatRate.orElse(defaults.floatRate()),
                        defaults.weightDecay(),
                        options.seed)
                .train(
                        model,
                        pictures.trainingBatches(options.batchSize),
                        options.output
                                .map(o -> Checkpoints.in(o.resolve("training"), options.resume))
                                .orElse(Checkpoints.none()),
                        messages);
        options.output.ifPresent(folder -> saveFloat(model, folder.resolve("float")));
    }

    private static void load(Model model, Path folder) {
        try {
            model.load(folder, model.getName());
        } catch (FileNotFoundException | NoSuchFileException e) {
            throw new InputException(
                    String.format(
                            "%s: no float network; expected %s-*.params", folder, model.getName()));
        } catch (MalformedModelException e) {
            throw new InputException(folder + ": " + e.getMessage());
        } catch (IOException e) {
            throw InputException.unreadable(folder, e);
        }
    }

    private static void make(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw InputException.unreadable(folder, e);
        }
    }

    private static void checkTarget(Path onnx) {
        Path file = onnx.toAbsolutePath();
        Path folder = file.getParent();
        if (folder == null || Files.isDirectory(file)) {
            throw new InputException("--onnx: " + onnx + ": is a folder; expected a file");
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw InputException.unreadable("--onnx", folder, e);
        }
        if (!Files.isWritable(folder)) {
            throw new InputException("--onnx: " + folder + ": files cannot be made in this folder");
        }
    }

    /** Writes it beside its place first: a network that is there already is not lost on the way. */
    private static void saveFloat(Model model, Path folder) {
        Path part = folder.resolveSibling("float.part");
        try {
            // without it DJL would number the files of run after run
            model.setProperty("Epoch", "0");
            model.save(part, model.getName());
            Files.createDirectories(folder);
            String file = model.getName() + "-0000.params";
            Files.move(part.resolve(file), folder.resolve(file), REPLACE_EXISTING);
            Files.delete(part);
        } catch (IOException e) {
            throw InputException.unreadable(folder, e);
        }
    }

    private void calibrate(ObserverQuantizer quantizer) {
        int count = options.calibration.orElse(CALIBRATION_PICTURES);
        Batches batches = pictures.calibrationBatches(count);
        quantizer.observe();
        try (Progress progress = new Progress(messages, "calibration", batches.count())) {
            // what is observed is the evaluation; its answers do not matter
            Training.accuracy(quantizer.model(), batches, progress);
        }
    }

    private void train(Quantizer quantizer) {
        Optional<Path> checkpoint =
                options.output.map(o -> o.resolve("quantized-training").resolve(network));
        new QuantizedTraining(epochs, options.seed, checkpoint, options.resume)
                .train(quantizer, pictures.trainingBatches(options.batchSize), messages);
    }

    private double accuracy(Model model, String task) {
        Batches batches = pictures.testBatches();
        try (Progress progress = new Progress(messages, task, batches.count())) {
            double accuracy = Training.accuracy(model, batches, progress);
            progress.note(String.format(Locale.ROOT, "%.2f %%", accuracy));
            return accuracy;
        }
    }

    private void write(Quantizer quantizer, Report report) {
        if (options.output.isEmpty()) {
            return;
        }
        Path folder = options.output.get();
        try {
            Path quantized = Files.createDirectories(folder.resolve("quantized"));
            quantizer.exportModel(
                    quantized.resolve(network), quantized.resolve(network + "-calibration.json"));
        } catch (IOException e) {
            throw InputException.unreadable(folder, e);
        }
        writeReport(report);
        if (options.toOnnx()) {
            // writing took the quantizers out; this puts them back as they were
            quantizer.compress();
        }
    }

    /** Writes it beside its place first: a report that is there already is not lost on the way. */
    private void writeReport(Report report) {
        if (options.output.isEmpty()) {
            return;
        }
        Path file = options.output.get().resolve("report.json");
        Path part = options.output.get().resolve("report.json.part");
        try {
            Files.writeString(part, report.toJson() + System.lineSeparator());
            Files.move(part, file, REPLACE_EXISTING);
        } catch (IOException e) {
            throw InputException.unreadable(file, e);
        }
    }
}
