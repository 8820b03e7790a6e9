package org.nni4j.algorithms;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;

/**
 * One way to train: what the resume law is held to.
 *
 * @param algorithm its name
 * @param residual a residual network with BatchNorm, or a LeNet
 * @param traced whether the network is traced, so that BatchNorms are folded where the algorithm
 *     can
 * @param settings of the config entry
 */
public record ResumeCase(
        String algorithm, boolean residual, boolean traced, Map<String, Object> settings) {

    private static final int CLASSES = 10;

    /** All algorithms that train, on both networks, with folding and with what draws at random. */
    public static List<ResumeCase> all() {
        List<ResumeCase> cases = new ArrayList<>();
        for (String algorithm : Algorithms.available()) {
            Capabilities capabilities = Algorithms.find(algorithm).capabilities();
            if (!capabilities.needsOptimizer()) {
                continue;
            }
            cases.add(new ResumeCase(algorithm, false, false, Map.of()));
            cases.add(new ResumeCase(algorithm, true, true, Map.of()));
            for (String random : List.of("stochastic")) {
                if (capabilities.settings().contains(random)) {
                    cases.add(new ResumeCase(algorithm, true, false, Map.of(random, true)));
                }
            }
        }
        return cases;
    }

    /** A run that can be asked for everything it computed. */
    public final class Run implements AutoCloseable {

        private final Model model;
        private final Quantizer quantizer;
        private @Nullable Trainer trainer;

        private Run(int networkSeed) {
            model = ResumeCase.this.model(networkSeed);
            quantizer =
                    Quantizers.create(
                            algorithm,
                            model,
                            config(),
                            optimizer(),
                            QuantizerOptions.standard().withSeed(5),
                            traced ? graph(model) : null);
            quantizer.compress();
        }

        /** The quantizer. */
        public Quantizer quantizer() {
            return quantizer;
        }

        /** The model. */
        public Model model() {
            return model;
        }

        /** Trains the steps {@code first..last - 1}, each on its own seeded batch. */
        public void train(int first, int last) {
            for (int step = first; step < last; step++) {
                Networks.step(trainer(), shape(), CLASSES, step);
            }
        }

        private Trainer trainer() {
            if (trainer == null) {
                trainer = Networks.trainer(model, quantizer.optimizer());
                trainer.initialize(shape());
            }
            return trainer;
        }

        /** Parameters, calibration and an output, to the last bit. */
        public String digest() {
            StringBuilder all = new StringBuilder();
            Networks.values(model.getBlock())
                    .forEach(
                            (name, values) ->
                                    all.append(name).append(Arrays.hashCode(values)).append('\n'));
            all.append(quantizer.calibration().toJson());
            float[] output = Networks.evaluate(model, Networks.random(shape(), 99), shape());
            return all.append(Arrays.toString(output)).toString();
        }

        @Override
        public void close() {
            if (trainer != null) {
                trainer.close();
            }
            quantizer.close();
            model.close();
        }
    }

    /** Begins with a network that is initialized from a seed. */
    public Run run(int networkSeed) {
        return new Run(networkSeed);
    }

    /** The batch. */
    public Shape shape() {
        return residual ? new Shape(4, 3, 8, 8) : new Shape(4, 1, 28, 28);
    }

    private Model model(int seed) {
        if (!residual) {
            return Networks.lenetModel(seed);
        }
        Engine.getInstance().setRandomSeed(seed);
        Model model = Model.newInstance("residual");
        SequentialBlock block = residualNetwork();
        block.initialize(model.getNDManager(), DataType.FLOAT32, shape());
        model.setBlock(block);
        return model;
    }

    private static SequentialBlock residualNetwork() {
        return convolution(new SequentialBlock(), 6)
                .add(Activation.reluBlock())
                .add(
                        new ParallelBlock(
                                branches ->
                                        new NDList(
                                                NDArrays.add(
                                                        branches.get(0).head(),
                                                        branches.get(1).head())),
                                List.of(
                                        convolution(new SequentialBlock(), 6)
                                                .add(Activation.reluBlock())
                                                .add(convolution(new SequentialBlock(), 6)),
                                        Blocks.identityBlock())))
                .add(Activation.reluBlock())
                .add(Pool.globalAvgPool2dBlock())
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(CLASSES).build());
    }

    private static SequentialBlock convolution(SequentialBlock block, int filters) {
        return block.add(
                        Conv2d.builder()
                                .setKernelShape(new Shape(3, 3))
                                .optPadding(new Shape(1, 1))
                                .setFilters(filters)
                                .build())
                .add(BatchNorm.builder().build());
    }

    private Graph graph(Model model) {
        try (var scope = model.getNDManager().newSubManager()) {
            return GraphTracer.trace(model, new NDList(scope.zeros(new Shape(1, 3, 8, 8))));
        }
    }

    /** Two optimizers, so that momentum and moments are both held to the law. */
    private Optimizer optimizer() {
        return residual
                ? Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.01f)).build()
                : Optimizer.sgd()
                        .setLearningRateTracker(
                                Tracker.multiFactor()
                                        .setSteps(new int[] {2, 4, 6})
                                        .optFactor(.7f)
                                        .setBaseValue(.02f)
                                        .build())
                        .optMomentum(.9f)
                        .optWeightDecays(1e-3f)
                        .build();
    }

    private ConfigList config() {
        Map<String, Object> bits = new LinkedHashMap<>();
        Algorithms.find(algorithm)
                .capabilities()
                .bits()
                .forEach(
                        (type, range) -> {
                            // One bit in and out saturates a network of this size at once.
                            if (range.max() > 1 || type == QuantType.WEIGHT) {
                                bits.put(
                                        type.key(),
                                        Math.min(Math.max(4, range.min()), range.max()));
                            }
                        });
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("quant_types", List.copyOf(bits.keySet()));
        entry.put("quant_bits", bits);
        entry.put("quant_start_step", 2);
        entry.put("op_types", List.of("Conv2d", "Linear"));
        if (!settings.isEmpty()) {
            entry.put("settings", settings);
        }
        if (!Algorithms.find(algorithm).capabilities().startStep()) {
            entry.remove("quant_start_step");
        }
        return ConfigList.fromMaps(List.of(entry));
    }

    /** A name for a file. */
    public String fileName() {
        return algorithm + (residual ? "-residual" : "-lenet") + (settings.isEmpty() ? "" : "-set");
    }
}
