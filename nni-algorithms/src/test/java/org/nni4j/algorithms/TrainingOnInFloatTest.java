package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;

/** A trainer that goes on after the quantizers were taken out. */
class TrainingOnInFloatTest {

    private static final int CLASSES = 3;

    @ParameterizedTest
    @ValueSource(strings = {"lsq", "pact", "bnn"})
    void trainer_afterClose_trainsTheFloatNetwork(String algorithm) {
        try (Model model = Networks.smallModel(1)) {
            Quantizer quantizer = quantizer(algorithm, model);
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                step(trainer, 1);
                step(trainer, 2);
                quantizer.close();
                Map<String, float[]> before = Networks.values(model.getBlock());
                step(trainer, 3);
                step(trainer, 4);
                Map<String, float[]> after = Networks.values(model.getBlock());
                before.forEach(
                        (name, values) ->
                                assertThat(after.get(name)).as(name).isNotEqualTo(values));
            }
        }
    }

    /** Weight decay, momentum and PACT's own decay act without any gradient. */
    @ParameterizedTest
    @ValueSource(strings = {"lsq", "pact"})
    void learnedParameters_restUntilCompress(String algorithm) {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, model)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                step(trainer, 1);
                step(trainer, 2);
                CalibrationConfig before = quantizer.calibration();
                quantizer.restore();
                step(trainer, 3);
                step(trainer, 4);
                quantizer.compress();
                CalibrationConfig after = quantizer.calibration();
                assertThat(after.layers()).isNotEmpty().isEqualTo(before.layers());
                step(trainer, 5);
                assertThat(quantizer.calibration().layers()).isNotEqualTo(after.layers());
            }
        }
    }

    /**
     * A backward pass was run while the quantizers were in; its step is taken when they are out.
     */
    @Test
    void gradientFromBefore_isDropped() {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("lsq", model, Networks.sgd(.1f))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                step(trainer, 1);
                final CalibrationConfig before = quantizer.calibration();
                backward(trainer);
                quantizer.restore();
                trainer.step();
                quantizer.compress();
                assertThat(quantizer.calibration().layers()).isEqualTo(before.layers());
                // nothing is left that a further step could take
                trainer.step();
                assertThat(quantizer.calibration().layers()).isEqualTo(before.layers());
                backward(trainer);
                trainer.step();
                assertThat(quantizer.calibration().layers()).isNotEqualTo(before.layers());
            }
        }
    }

    private static void backward(Trainer trainer) {
        try (NDManager batch = trainer.getManager().newSubManager();
                GradientCollector collector = trainer.newGradientCollector()) {
            float[] images = Networks.random(Networks.SMALL, 3);
            NDList scores = trainer.forward(new NDList(batch.create(images, Networks.SMALL)));
            NDList labels = new NDList(batch.create(new float[] {0, 1, 2, 0}));
            collector.backward(trainer.getLoss().evaluate(labels, scores));
        }
    }

    @Test
    void masterWeights_ofBnn_areNotClippedInFloat() {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("bnn", model)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                step(trainer, 1);
                quantizer.restore();
                Parameter weight = model.getBlock().getParameters().valueAt(0);
                float[] large = new float[(int) weight.getArray().size()];
                Arrays.fill(large, 3);
                Networks.set(weight, large);
                step(trainer, 2);
                for (float value : weight.getArray().toFloatArray()) {
                    // a step of 0.1 by a gradient of a few at most
                    assertThat(value).isGreaterThan(1);
                }
            }
        }
    }

    private static void step(Trainer trainer, long seed) {
        Networks.step(trainer, Networks.SMALL, CLASSES, seed);
    }

    private static Quantizer quantizer(String algorithm, Model model) {
        return quantizer(
                algorithm,
                model,
                Optimizer.sgd()
                        .setLearningRateTracker(Tracker.fixed(.1f))
                        .optMomentum(.9f)
                        .optWeightDecays(.01f)
                        .build());
    }

    private static Quantizer quantizer(String algorithm, Model model, Optimizer optimizer) {
        Map<String, Object> entry =
                switch (algorithm) {
                    case "pact" ->
                            Map.of(
                                    "quant_types", List.of("output"),
                                    "quant_bits", 4,
                                    "op_types", List.of("ReLU"),
                                    "settings", Map.of("initial_level", .5));
                    case "bnn" ->
                            Map.of(
                                    "quant_types", List.of("weight"),
                                    "quant_bits", 1,
                                    "op_types", List.of("Conv2d"));
                    default ->
                            Map.of(
                                    "quant_types", List.of("weight", "input"),
                                    "quant_bits", 4,
                                    "op_types", List.of("Conv2d", "Linear"));
                };
        return Quantizers.create(algorithm, model, ConfigList.fromMaps(List.of(entry)), optimizer);
    }
}
