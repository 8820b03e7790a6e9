package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.Pair;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.config.QuantType;

/**
 * With {@code quant_start_step} N the first N−1 training forwards are the float network, to the
 * last bit (NNI's defect D2: its gradients are zero there).
 */
class StartStepTest {

    private static final int SEED = 11;

    private static List<Map<String, Object>> everything(int startStep) {
        return List.of(
                Map.of(
                        "quant_types",
                        List.of("weight", "input", "output"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("Conv2d", "Linear", "ReLU"),
                        "quant_start_step",
                        startStep,
                        "exclude",
                        false,
                        "quant_scheme",
                        "per_tensor_affine"),
                Map.of(
                        "quant_types",
                        List.of("output"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("ReLU"),
                        "quant_start_step",
                        startStep));
    }

    static Stream<Arguments> optimizers() {
        Supplier<Optimizer> momentum =
                () ->
                        Optimizer.sgd()
                                .setLearningRateTracker(
                                        Tracker.factor().setBaseValue(0.1f).setFactor(0.8f).build())
                                .optMomentum(0.9f)
                                .optWeightDecays(1e-3f)
                                .build();
        Supplier<Optimizer> adam =
                () -> Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.01f)).build();
        return Stream.of(Arguments.of("momentum", momentum), Arguments.of("adam", adam));
    }

    /**
     * Everything a training step computes: gradients of all parameters, then the weights after it.
     */
    private static Map<String, float[]> step(Trainer trainer, int seed) {
        Map<String, float[]> seen = new LinkedHashMap<>();
        try (NDManager batch = trainer.getManager().newSubManager()) {
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList y =
                        trainer.forward(
                                new NDList(
                                        batch.create(
                                                Networks.random(Networks.SMALL, seed),
                                                Networks.SMALL)));
                seen.put("output", y.head().toFloatArray());
                collector.backward(
                        trainer.getLoss()
                                .evaluate(new NDList(batch.create(new float[] {0, 1, 2, 0})), y));
            }
            trainer.getModel()
                    .getBlock()
                    .getParameters()
                    .forEach(
                            p ->
                                    seen.put(
                                            "gradient " + p.getKey(),
                                            p.getValue().getArray().getGradient().toFloatArray()));
            trainer.step();
        }
        seen.putAll(Networks.values(trainer.getModel().getBlock()));
        return seen;
    }

    private static void assertSame(
            Map<String, float[]> actual, Map<String, float[]> expected, int step) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach(
                (name, values) ->
                        assertThat(actual.get(name))
                                .as("%s in step %d, seed %d", name, step, SEED)
                                .containsExactly(values));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("optimizers")
    void train_beforeTheStartStep_isTheFloatNetworkBitForBit(
            String name, Supplier<Optimizer> optimizer) {
        int start = 5;
        try (Model plain = Networks.smallModel(SEED);
                Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer =
                        new QATQuantizer(model, everything(start), optimizer.get())) {
            quantizer.compress();
            try (Trainer floats = Networks.trainer(plain, optimizer.get());
                    Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                for (int step = 1; step < start; step++) {
                    assertThat(quantizer.step()).isEqualTo(step);
                    assertSame(step(trainer, step), step(floats, step), step);
                }
                // Forward N is the first quantized one.
                assertThat(quantizer.step()).isEqualTo(start);
                assertThat(step(trainer, 99).get("output"))
                        .isNotEqualTo(step(floats, 99).get("output"));
            }
        }
    }

    /**
     * Optimizer state, trackers and counts are the user's own: a quantizer that never starts
     * changes nothing.
     */
    @ParameterizedTest(name = "{0}")
    @MethodSource("optimizers")
    void train_startStepNeverReached_equalsTrainingWithoutQuantizer(
            String name, Supplier<Optimizer> optimizer) {
        try (Model plain = Networks.smallModel(SEED);
                Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer =
                        new QATQuantizer(model, everything(1_000_000), optimizer.get())) {
            quantizer.compress();
            try (Trainer floats = Networks.trainer(plain, optimizer.get());
                    Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                for (int step = 1; step <= 12; step++) {
                    assertSame(step(trainer, step), step(floats, step), step);
                }
            }
        }
    }

    @Test
    void train_beforeTheStartStep_tracksRanges() {
        try (Model early = Networks.smallModel(SEED);
                Model late = Networks.smallModel(SEED);
                QATQuantizer now = new QATQuantizer(early, everything(0), Networks.sgd(0));
                QATQuantizer later = new QATQuantizer(late, everything(1000), Networks.sgd(0))) {
            now.compress();
            later.compress();
            try (Trainer a = Networks.trainer(early, now.optimizer());
                    Trainer b = Networks.trainer(late, later.optimizer())) {
                for (int step = 1; step <= 3; step++) {
                    step(a, step);
                    step(b, step);
                }
            }
            // The first layer's input is the same data for both; nothing quantized comes before it.
            assertThat(input(later)).isPresent().isEqualTo(input(now));
        }
    }

    private static Optional<?> input(QATQuantizer quantizer) {
        CalibratedLayer first = quantizer.calibration().layers().get(0);
        return first.tensor(QuantType.INPUT, "0");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void train_startStepZeroOrOne_quantizesAtOnce(int start) {
        try (Model plain = Networks.smallModel(SEED);
                Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer =
                        new QATQuantizer(model, everything(start), Networks.sgd(0.1f))) {
            quantizer.compress();
            try (Trainer floats = Networks.trainer(plain, Networks.sgd(0.1f));
                    Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                assertThat(step(trainer, 1).get("output"))
                        .isNotEqualTo(step(floats, 1).get("output"));
            }
        }
    }

    /** NNI's evaluation ignores the start step and multiplies by a scale of zero (defect D7). */
    @Test
    void evaluate_beforeTheStartStep_isFloat() {
        float[] x = Networks.random(Networks.SMALL, 1);
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = new QATQuantizer(model, everything(3), Networks.sgd(0))) {
            float[] before = Networks.evaluate(model, x, Networks.SMALL);
            quantizer.compress();
            assertThat(Networks.evaluate(model, x, Networks.SMALL)).containsExactly(before);
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                step(trainer, 1);
                assertThat(Networks.evaluate(model, x, Networks.SMALL)).containsExactly(before);
                step(trainer, 2);
                // Step 3 is the start step: what is evaluated is what is trained.
                assertThat(Networks.evaluate(model, x, Networks.SMALL)).isNotEqualTo(before);
            }
        }
    }

    @Test
    void train_startStepsOfSeveralLayers_areEachTheirOwn() {
        List<Map<String, Object>> config =
                List.of(
                        Map.of(
                                "quant_types",
                                List.of("output"),
                                "quant_bits",
                                2,
                                "op_names",
                                List.of("01Conv2d"),
                                "quant_start_step",
                                3),
                        Map.of(
                                "quant_types",
                                List.of("output"),
                                "quant_bits",
                                2,
                                "op_names",
                                List.of("04Linear"),
                                "quant_start_step",
                                2));
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = new QATQuantizer(model, config, Networks.sgd(0))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                assertThat(levels(trainer, "01Conv2d")).isGreaterThan(4);
                assertThat(levels(trainer, "04Linear")).isGreaterThan(4);
                step(trainer, 1);
                assertThat(levels(trainer, "01Conv2d")).isGreaterThan(4);
                assertThat(levels(trainer, "04Linear")).isLessThanOrEqualTo(4);
                step(trainer, 1);
                assertThat(levels(trainer, "01Conv2d")).isLessThanOrEqualTo(4);
                assertThat(levels(trainer, "04Linear")).isLessThanOrEqualTo(4);
            }
        }
    }

    /** How many different values a layer puts out in a training forward; two bits allow four. */
    private static long levels(Trainer trainer, String layer) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            ParameterStore store = new ParameterStore(batch, false);
            NDList data =
                    new NDList(batch.create(Networks.random(Networks.SMALL, 1), Networks.SMALL));
            for (Pair<String, Block> child : trainer.getModel().getBlock().getChildren()) {
                data = child.getValue().forward(store, data, true);
                if (child.getKey().equals(layer)) {
                    break;
                }
            }
            float[] y = data.head().toFloatArray();
            Set<Float> distinct = new HashSet<>();
            for (float v : y) {
                distinct.add(v + 0f);
            }
            return distinct.size();
        }
    }

    /** NNI adds master weights as new groups with the optimizer's defaults (defect D15). */
    @Test
    void train_ratesOfSingleParameters_stayTheirs() {
        try (Model plain = Networks.smallModel(SEED);
                Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer =
                        new QATQuantizer(
                                model, everything(1000), rates(model, "01Conv2d_weight"))) {
            quantizer.compress();
            try (Trainer floats = Networks.trainer(plain, rates(plain, "01Conv2d_weight"));
                    Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                for (int step = 1; step <= 3; step++) {
                    assertSame(step(trainer, step), step(floats, step), step);
                }
            }
        }
    }

    /** One parameter is trained faster than the others, which a tracker tells by its id. */
    private static Optimizer rates(Model model, String fast) {
        Parameter parameter = model.getBlock().getParameters().get(fast);
        return Optimizer.sgd()
                .setLearningRateTracker(
                        (ParameterTracker)
                                (id, update) -> id.equals(parameter.getId()) ? 0.5f : 0.01f)
                .build();
    }
}
