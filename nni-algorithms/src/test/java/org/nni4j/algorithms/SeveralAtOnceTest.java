package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;

/** Several threads, several quantizers, and nothing left behind: every algorithm. */
class SeveralAtOnceTest {

    private static final int THREADS = 8;
    private static final int PREDICTIONS = 64;
    private static final Shape BATCH = Networks.SMALL;
    private static final int CLASSES = 3;

    static List<String> algorithms() {
        return Algorithms.available();
    }

    static Stream<String> trained() {
        return algorithms().stream().filter(SeveralAtOnceTest::trains);
    }

    private static boolean trains(String algorithm) {
        return Algorithms.find(algorithm).capabilities().needsOptimizer();
    }

    private static Quantizer quantizer(String name, Model model) {
        QuantizationAlgorithm algorithm = Algorithms.find(name);
        Map<String, Object> bits = new LinkedHashMap<>();
        algorithm
                .capabilities()
                .bits()
                .forEach(
                        (type, range) -> {
                            // Signs of small networks' inputs and outputs let no gradient through.
                            if (range.max() > 1 || type == QuantType.WEIGHT) {
                                bits.put(type.key(), range.max());
                            }
                        });
        Set<String> types = algorithm.layerTypes();
        Map<String, Object> entry =
                Map.of(
                        "quant_types",
                        List.copyOf(bits.keySet()),
                        "quant_bits",
                        bits,
                        "op_types",
                        types.isEmpty() ? List.of("Conv2d", "Linear") : List.of("Linear"));
        return Quantizers.create(
                name,
                model,
                ConfigList.fromMaps(List.of(entry)),
                trains(name) ? Networks.sgd(0.02f) : null);
    }

    /** Trains a step, or shows the network data. */
    private static void prepare(String algorithm, Model model, Quantizer quantizer) {
        if (trains(algorithm)) {
            train(model, quantizer.optimizer());
        } else {
            Networks.evaluate(model, Networks.random(BATCH, 1), BATCH);
        }
        quantizer.calibration();
    }

    private static void train(Model model, Optimizer optimizer) {
        try (Trainer trainer = Networks.trainer(model, optimizer)) {
            trainer.initialize(BATCH);
            Networks.step(trainer, BATCH, CLASSES, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void predict_fromEightThreads_givesTheSameBitsAsFromOne(String algorithm) throws Exception {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, model)) {
            quantizer.compress();
            prepare(algorithm, model, quantizer);
            List<float[]> expected = new ArrayList<>();
            for (int i = 0; i < PREDICTIONS; i++) {
                expected.add(Networks.evaluate(model, Networks.random(BATCH, i), BATCH));
            }
            ExecutorService threads = Executors.newFixedThreadPool(THREADS);
            try {
                List<Callable<float[]>> predictions = new ArrayList<>();
                for (int i = 0; i < PREDICTIONS; i++) {
                    float[] batch = Networks.random(BATCH, i);
                    predictions.add(() -> Networks.evaluate(model, batch, BATCH));
                }
                List<Future<float[]>> given = threads.invokeAll(predictions);
                for (int i = 0; i < PREDICTIONS; i++) {
                    assertThat(given.get(i).get()).as("batch %d", i).isEqualTo(expected.get(i));
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    /** Two models in turns, each step of one between two of the other. */
    @ParameterizedTest
    @MethodSource("trained")
    void train_inTurnsWithAnotherModel_givesTheSameBitsAsAlone(String algorithm) {
        Map<String, float[]> alone = new LinkedHashMap<>();
        List<Float> losses = new ArrayList<>();
        try (Run run = new Run(algorithm)) {
            for (int i = 0; i < 4; i++) {
                losses.add(run.step(i));
            }
            alone.putAll(Networks.values(run.model.getBlock()));
        }
        try (Run run = new Run(algorithm);
                Run same = new Run(algorithm);
                Run other = new Run("qat")) {
            for (int i = 0; i < 4; i++) {
                same.step(i + 10);
                assertThat(run.step(i)).isEqualTo(losses.get(i));
                other.step(i + 20);
            }
            Map<String, float[]> values = Networks.values(run.model.getBlock());
            alone.forEach((name, expected) -> assertThat(values.get(name)).isEqualTo(expected));
            assertThat(run.quantizer.step()).isEqualTo(5);
        }
    }

    /** A model in training. */
    private static final class Run implements AutoCloseable {

        private final Model model = Networks.smallModel(4);
        private final Quantizer quantizer;
        private final Trainer trainer;

        Run(String algorithm) {
            quantizer = SeveralAtOnceTest.quantizer(algorithm, model);
            quantizer.compress();
            trainer = Networks.trainer(model, quantizer.optimizer());
            trainer.initialize(BATCH);
        }

        float step(int seed) {
            return Networks.step(trainer, BATCH, CLASSES, seed);
        }

        @Override
        public void close() {
            trainer.close();
            quantizer.close();
            model.close();
        }
    }

    /** Float training leaves the gradients of its parameters; quantized training, no more. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void close_afterUse_leavesWhatFloatTrainingLeaves(String algorithm) throws Exception {
        int left;
        try (Model model = Networks.smallModel(1)) {
            if (trains(algorithm)) {
                train(model, Networks.sgd(0.02f));
            }
            left = resources(model.getNDManager()).size();
        }
        try (Model model = Networks.smallModel(1)) {
            try (Quantizer quantizer = quantizer(algorithm, model)) {
                quantizer.compress();
                prepare(algorithm, model, quantizer);
                Networks.evaluate(model, Networks.random(BATCH, 2), BATCH);
                quantizer.restore();
                quantizer.compress();
                Networks.evaluate(model, Networks.random(BATCH, 3), BATCH);
            }
            assertThat(resources(model.getNDManager())).hasSize(left);
        }
    }

    /** Everything that lives as long as a manager, its sub-managers' included. */
    private static List<String> resources(NDManager manager) throws ReflectiveOperationException {
        Field field = BaseNDManager.class.getDeclaredField("resources");
        field.setAccessible(true);
        List<String> found = new ArrayList<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) field.get(manager)).entrySet()) {
            found.add(String.valueOf(entry.getKey()));
            if (entry.getValue() instanceof NDManager child) {
                found.addAll(resources(child));
            }
        }
        return found;
    }
}
