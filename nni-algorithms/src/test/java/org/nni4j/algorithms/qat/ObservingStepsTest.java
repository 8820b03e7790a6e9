package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.lsq.LsqQuantizer;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;

/** {@code observe_every} and {@code observer_freeze_step}: the steps in which ranges move. */
class ObservingStepsTest {

    private static final int STEPS = 8;
    private static final Shape ROW = new Shape(1, 2);

    private static ConfigList config(Map<String, Object> settings) {
        Map<String, Object> entry = new HashMap<>(settings);
        entry.putIfAbsent("quant_types", List.of("weight", "input"));
        entry.put("quant_bits", 8);
        entry.put("op_types", List.of("Linear"));
        return ConfigList.fromMaps(List.of(entry));
    }

    /** Trains on the row {@code (0, step)} in each step and returns the range's end after each. */
    private static List<Float> ends(Map<String, Object> settings, String kernels) {
        List<Float> ends = new ArrayList<>();
        QuantizerOptions options = QuantizerOptions.standard().withKernels(kernels);
        try (Model model = Networks.linear(new float[][] {{1, -1}});
                QATQuantizer quantizer =
                        new QATQuantizer(model, config(settings), Networks.sgd(0.1f), options)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                for (int i = 1; i <= STEPS; i++) {
                    step(trainer, ROW, new float[] {0, i});
                    ends.add(Objects.requireNonNull(input(quantizer).max())[0]);
                }
            }
        }
        return ends;
    }

    private static TensorCalibration input(QATQuantizer quantizer) {
        return quantizer.calibration().layers().get(0).tensor(QuantType.INPUT, "0").orElseThrow();
    }

    private static void step(Trainer trainer, Shape shape, float[] values) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDArray x = batch.create(values, shape);
                collector.backward(trainer.forward(new NDList(x)).head().sum());
            }
            trainer.step();
        }
    }

    /** The ranges that follow from the formula when they move in the given steps only. */
    private static List<Float> expected(List<Integer> observed) {
        List<Float> ends = new ArrayList<>();
        double end = 0;
        for (int i = 1; i <= STEPS; i++) {
            if (observed.contains(i)) {
                end = i == 1 ? 1 : 0.99 * end + 0.01 * i;
            }
            ends.add((float) end);
        }
        return ends;
    }

    private static void assertEnds(Map<String, Object> settings, Integer... observed) {
        for (String kernels : List.of("ndarray", "fused")) {
            List<Float> actual = ends(settings, kernels);
            List<Float> wanted = expected(List.of(observed));
            for (int i = 0; i < STEPS; i++) {
                // A few roundings of float32 beside the double's.
                assertThat(actual.get(i))
                        .as("%s kernels, step %d", kernels, i + 1)
                        .isCloseTo(wanted.get(i), within(1e-6f));
            }
        }
    }

    @Test
    void train_withoutSettings_observesEachStep() {
        assertEnds(Map.of(), 1, 2, 3, 4, 5, 6, 7, 8);
    }

    @Test
    void train_observeEvery3_observesTheFirstAndEachThirdStepAfterIt() {
        assertEnds(Map.of("observe_every", 3), 1, 4, 7);
    }

    @Test
    void train_observerFreezeStep4_rangesStayFromStep4On() {
        assertEnds(Map.of("observer_freeze_step", 4), 1, 2, 3);
    }

    @Test
    void train_both_bothHold() {
        assertEnds(Map.of("observe_every", 2, "observer_freeze_step", 6), 1, 3, 5);
    }

    /** A network that was never observed has no range to keep, so its first step gives one. */
    @Test
    void train_observerFreezeStep1_theFirstTensorGivesTheRange() {
        assertEnds(Map.of("observer_freeze_step", 1), 1);
    }

    /** Before the start step ranges are tracked, as ever. */
    @Test
    void train_frozenBeforeTheStartStep_quantizesByTheFrozenRange() {
        assertEnds(Map.of("quant_start_step", 6, "observer_freeze_step", 3), 1, 2);
    }

    @Test
    void loadCheckpoint_betweenTwoObservedSteps_goesOnExactly(@TempDir Path folder)
            throws Exception {
        Map<String, Object> settings = Map.of("observe_every", 3, "observer_freeze_step", 8);
        Path file = folder.resolve("net");
        try (Model whole = Networks.smallModel(3);
                Model resumed = Networks.smallModel(4);
                QATQuantizer a = new QATQuantizer(whole, config(settings), Networks.sgd(0.1f));
                QATQuantizer b = new QATQuantizer(resumed, config(settings), Networks.sgd(0.1f))) {
            a.compress();
            b.compress();
            try (Trainer trainer = Networks.trainer(whole, a.optimizer())) {
                train(trainer, 1, 5);
                a.saveCheckpoint(file);
                train(trainer, 6, 10);
            }
            b.loadCheckpoint(file);
            try (Trainer trainer = Networks.trainer(resumed, b.optimizer())) {
                train(trainer, 6, 10);
            }
            assertThat(b.calibration()).isEqualTo(a.calibration());
            Networks.values(whole.getBlock())
                    .forEach(
                            (name, values) ->
                                    assertThat(Networks.values(resumed.getBlock()).get(name))
                                            .as(name)
                                            .isEqualTo(values));
        }
    }

    private static void train(Trainer trainer, int from, int to) {
        for (int i = from; i <= to; i++) {
            step(trainer, Networks.SMALL, Networks.random(Networks.SMALL, i));
        }
    }

    @Test
    void construct_weightsOnly_isAnError() {
        Map<String, Object> settings = Map.of("quant_types", List.of("weight"), "observe_every", 2);
        try (Model model = Networks.linear(new float[][] {{1, -1}})) {
            assertThatThrownBy(() -> new QATQuantizer(model, config(settings), Networks.sgd(0.1f)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(
                            "config[0].observe_every: has no effect on weights, whose range is"
                                    + " never tracked; expected input or output in quant_types");
        }
    }

    @Test
    void construct_algorithmWithoutObservers_isAnError() {
        Optimizer optimizer = Networks.sgd(0.1f);
        try (Model model = Networks.linear(new float[][] {{1, -1}})) {
            assertThatThrownBy(
                            () ->
                                    new LsqQuantizer(
                                            model,
                                            config(Map.of("observer_freeze_step", 5)),
                                            optimizer))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(
                            "config[0].observer_freeze_step: is not supported by algorithm"
                                    + " \"lsq\"");
        }
    }
}
