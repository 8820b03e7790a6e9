package org.nni4j.algorithms.pairs;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.Pair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.dorefa.DoReFaQuantizer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.fakequant.NonFinite;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;
import org.nni4j.layer.LayerTree;

/**
 * One random network quantized by one random config list: compress, train two steps, export,
 * restore. Nothing but the documented exceptions may come out, and what is restored must be the
 * network that came in, with the trained parameters, to the last bit.
 */
final class RandomPair {

    /** How a pair ended. */
    enum Outcome {
        /** Quantized, trained, exported and restored. */
        QUANTIZED,
        /**
         * Two steps drove the network itself, which squares its values here and there, to NaN: the
         * export is refused, and the network restored.
         */
        DIVERGED,
        /** The config list asks for what cannot be done; nothing was touched. */
        REFUSED,
        /** A layer's slot takes no wrapper; nothing was touched. */
        NO_SLOT
    }

    private static final int STEPS = 2;

    private final long seed;
    private final Random random;
    private final RandomNetwork network;
    private final String algorithm;
    private final Capabilities capabilities;
    private List<Map<String, Object>> entries = List.of();

    RandomPair(long seed) {
        this.seed = seed;
        this.random = new Random(new SplittableRandom(seed + 3).nextLong());
        this.network = new RandomNetwork(seed);
        List<String> algorithms = Algorithms.available();
        this.algorithm = algorithms.get(random.nextInt(algorithms.size()));
        this.capabilities = Algorithms.find(algorithm).capabilities();
    }

    String algorithm() {
        return algorithm;
    }

    @Override
    public String toString() {
        return "seed " + seed + ", " + algorithm + " on " + network + ", config " + entries;
    }

    /**
     * Runs the pair.
     *
     * @param folder takes the export
     */
    Outcome run(Path folder) throws IOException, MalformedModelException {
        try (Model model = network.model()) {
            entries =
                    new RandomEntries(seed + 7, Algorithms.find(algorithm), LayerTree.of(model))
                            .draw();
            Float32 before = new Float32(model);
            Outcome outcome = quantize(model, before, folder);
            if (outcome == Outcome.REFUSED || outcome == Outcome.NO_SLOT) {
                before.assertSame(model);
            }
            return outcome;
        }
    }

    private Outcome quantize(Model model, Float32 before, Path folder)
            throws IOException, MalformedModelException {
        Graph graph = random.nextBoolean() ? traced(model) : null;
        before.assertSame(model);
        try (Quantizer quantizer = quantizer(model, graph)) {
            assertThat(quantizer.plan().toString()).contains(algorithm);
            try {
                quantizer.compress();
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageMatching("layer \".*takes only a .*");
                return Outcome.NO_SLOT;
            }
            before.assertSameValues(model);
            proceed(model, quantizer);
            Map<String, float[]> trained = Networks.values(model.getBlock());
            CalibrationConfig calibration;
            try {
                calibration =
                        quantizer.exportModel(folder.resolve("net"), folder.resolve("net.json"));
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageMatching("layer .*(NaN|infinite) at step 3.*");
                assertThat(isFinite(trained)).as(e.getMessage()).isFalse();
                quantizer.restore();
                before.assertSameStructure(model);
                return Outcome.DIVERGED;
            }
            before.assertSameStructure(model);
            assertThat(Networks.values(model.getBlock()))
                    .usingRecursiveComparison()
                    .isEqualTo(trained);
            assertThat(CalibrationConfig.read(folder.resolve("net.json"))).isEqualTo(calibration);
            assertIsTheFloatNetwork(model, folder);
            return Outcome.QUANTIZED;
        } catch (ConfigException e) {
            assertThat(e.problems()).isNotEmpty();
            return Outcome.REFUSED;
        }
    }

    private static boolean isFinite(Map<String, float[]> parameters) {
        return parameters.values().stream().allMatch(values -> NonFinite.in(values).isEmpty());
    }

    private Graph traced(Model model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            return GraphTracer.trace(model, new NDList(network.batch(manager, 0)));
        }
    }

    private Quantizer quantizer(Model model, @Nullable Graph graph) {
        QuantizerOptions options =
                QuantizerOptions.standard()
                        .withSeed(seed)
                        .withKernels(random.nextInt(4) == 0 ? "ndarray" : "auto");
        ConfigList config = ConfigList.fromMaps(entries);
        Optimizer optimizer = capabilities.needsOptimizer() ? optimizer() : null;
        if (algorithm.equals("dorefa")) {
            // only its own class lets quantized gradients go on
            return doReFa(model, config, Objects.requireNonNull(optimizer), options, graph != null);
        }
        return Quantizers.create(algorithm, model, config, optimizer, options, graph);
    }

    private Quantizer doReFa(
            Model model,
            ConfigList config,
            Optimizer optimizer,
            QuantizerOptions options,
            boolean traced) {
        if (!traced) {
            return new DoReFaQuantizer(model, config, optimizer, options);
        }
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDList input = new NDList(network.batch(manager, 0));
            return new DoReFaQuantizer(model, config, optimizer, options, input);
        }
    }

    private Optimizer optimizer() {
        Tracker rate = Tracker.fixed(0.01f);
        return switch (random.nextInt(3)) {
            case 0 -> Optimizer.adam().optLearningRateTracker(rate).build();
            case 1 -> Optimizer.sgd().setLearningRateTracker(rate).optMomentum(0.9f).build();
            default -> Optimizer.sgd().setLearningRateTracker(rate).build();
        };
    }

    /** Trains, or calibrates where the algorithm does not train. */
    private void proceed(Model model, Quantizer quantizer) {
        if (!capabilities.needsOptimizer()) {
            for (int step = 0; step < STEPS; step++) {
                output(model, step);
            }
            return;
        }
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(Loss.l2Loss()).optOptimizer(quantizer.optimizer());
        try (Trainer trainer = model.newTrainer(config)) {
            trainer.initialize(network.inputShape());
            for (int step = 0; step < STEPS; step++) {
                step(trainer, quantizer, step);
            }
        }
        assertThat(quantizer.step()).isBetween(1L, STEPS + 1L);
        output(model, STEPS);
    }

    private void step(Trainer trainer, Quantizer quantizer, long which) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDArray y = trainer.forward(new NDList(network.batch(batch, which))).head();
                NDArray target = batch.ones(y.getShape());
                collector.backward(trainer.getLoss().evaluate(new NDList(target), new NDList(y)));
            }
            if (quantizer instanceof DoReFaQuantizer doReFa) {
                doReFa.proceedBackward();
            }
            try {
                trainer.step();
            } catch (IllegalStateException e) {
                // DJL's own check: a few bits can kill every gradient of so small a network.
                assertThat(e).hasMessageContaining("Gradient values are all zeros");
            }
        }
    }

    private float[] output(Model model, long which) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDList input = new NDList(network.batch(manager, which));
            return model.getBlock().forward(store, input, false).head().toFloatArray();
        }
    }

    /** What was exported is what was trained, and the restored model computes as a plain one. */
    private void assertIsTheFloatNetwork(Model restored, Path folder)
            throws IOException, MalformedModelException {
        Map<String, float[]> trained = Networks.values(restored.getBlock());
        try (Model loaded = network.model();
                Model plain = network.model()) {
            loaded.load(folder, "net");
            assertThat(Networks.values(loaded.getBlock()))
                    .usingRecursiveComparison()
                    .isEqualTo(trained);
            // In place: DJL loads into memory of another alignment, and by that the engine decides
            // in which order it sums, so that a loaded float network differs in the last bit.
            plain.getBlock()
                    .getParameters()
                    .forEach(
                            p ->
                                    Networks.set(
                                            p.getValue(),
                                            Objects.requireNonNull(trained.get(p.getKey()))));
            assertThat(output(restored, 9)).containsExactly(output(plain, 9));
        }
    }

    /** The network that came in. */
    private final class Float32 {

        private final List<Object> structure;
        private final Map<String, float[]> values;
        private final float[] output;

        Float32(Model model) {
            structure = structure(model.getBlock());
            values = Networks.values(model.getBlock());
            output = output(model, 9);
        }

        void assertSame(Model model) {
            assertSameStructure(model);
            assertSameValues(model);
            assertThat(output(model, 9)).containsExactly(output);
        }

        void assertSameValues(Model model) {
            assertThat(Networks.values(model.getBlock()))
                    .usingRecursiveComparison()
                    .isEqualTo(values);
        }

        void assertSameStructure(Model model) {
            List<Object> now = structure(model.getBlock());
            assertThat(now).hasSameSizeAs(structure);
            for (int i = 0; i < now.size(); i++) {
                assertThat(now.get(i)).isSameAs(structure.get(i));
            }
        }
    }

    /** Every block with its children and parameters, by identity. */
    private static List<Object> structure(Block block) {
        List<Object> found = new ArrayList<>();
        found.add(block);
        found.addAll(block.getDirectParameters().values());
        for (Pair<String, Block> child : block.getChildren()) {
            found.addAll(structure(child.getValue()));
        }
        return found;
    }
}
