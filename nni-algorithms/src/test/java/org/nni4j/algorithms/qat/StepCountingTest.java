package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.Networks;

/** Steps are counted once each, and training that does not count them is noticed. */
class StepCountingTest {

    private static final List<Map<String, Object>> ALL =
            List.of(
                    Map.of(
                            "quant_types", List.of("weight", "input"),
                            "quant_bits", 8,
                            "op_types", List.of("Conv2d", "Linear")));

    private static final String UNCOUNTED =
            "the weights changed after step 0, but the optimizer that changed them is not the"
                    + " quantizer's; give the trainer"
                    + " DefaultTrainingConfig.optOptimizer(quantizer.optimizer())";

    private static void forwardAndBackward(Trainer trainer, long seed) {
        try (NDManager batch = trainer.getManager().newSubManager();
                GradientCollector collector = trainer.newGradientCollector()) {
            NDArray x = batch.create(Networks.random(Networks.SMALL, seed), Networks.SMALL);
            NDList y = trainer.forward(new NDList(x));
            NDList labels = new NDList(batch.create(new float[] {0, 1, 2, 0}));
            collector.backward(trainer.getLoss().evaluate(labels, y));
        }
    }

    private static void evaluate(Trainer trainer) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            trainer.evaluate(
                    new NDList(batch.create(Networks.random(Networks.SMALL, 5), Networks.SMALL)));
        }
    }

    private interface Training {
        void run(Model model, QATQuantizer quantizer, Trainer trainer) throws IOException;
    }

    private static void counted(Training training) throws IOException {
        try (Model model = Networks.smallModel(1);
                QATQuantizer quantizer = new QATQuantizer(model, ALL, Networks.sgd(0.1f))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                training.run(model, quantizer, trainer);
            }
        }
    }

    @Test
    void step_severalParameters_countsOne() throws IOException {
        counted(
                (model, quantizer, trainer) -> {
                    for (int step = 1; step <= 4; step++) {
                        assertThat(quantizer.step()).isEqualTo(step);
                        forwardAndBackward(trainer, step);
                        trainer.step();
                    }
                    assertThat(quantizer.step()).isEqualTo(5);
                });
    }

    @Test
    void step_accumulatedGradients_countsOneForSeveralForwards() throws IOException {
        counted(
                (model, quantizer, trainer) -> {
                    for (int step = 1; step <= 3; step++) {
                        for (int part = 0; part < 4; part++) {
                            forwardAndBackward(trainer, part);
                            assertThat(quantizer.step()).isEqualTo(step);
                        }
                        trainer.step();
                    }
                    assertThat(quantizer.step()).isEqualTo(4);
                });
    }

    @Test
    void step_frozenParameters_countsOne() throws IOException {
        counted(
                (model, quantizer, trainer) -> {
                    Parameter first = model.getBlock().getParameters().get("01Conv2d_weight");
                    first.freeze(true);
                    for (int step = 1; step <= 3; step++) {
                        forwardAndBackward(trainer, step);
                        trainer.step();
                    }
                    assertThat(quantizer.step()).isEqualTo(4);
                });
    }

    /** There is no forward between the two, so a parameter coming round again tells. */
    @Test
    void step_twiceInARow_countsTwo() throws IOException {
        counted(
                (model, quantizer, trainer) -> {
                    forwardAndBackward(trainer, 1);
                    trainer.step();
                    trainer.step();
                    assertThat(quantizer.step()).isEqualTo(3);
                });
    }

    /** A single parameter comes round with every step. */
    @Test
    void step_singleParameter_countsEveryStep() {
        List<Map<String, Object>> linear =
                List.of(
                        Map.of(
                                "quant_types", List.of("weight"),
                                "quant_bits", 8,
                                "op_types", List.of("Linear")));
        try (Model model = Networks.linear(new float[][] {{1, 2}});
                QATQuantizer quantizer = new QATQuantizer(model, linear, Networks.sgd(0.1f))) {
            quantizer.compress();
            try (Trainer trainer =
                    model.newTrainer(
                            new DefaultTrainingConfig(Loss.l2Loss())
                                    .optOptimizer(quantizer.optimizer()))) {
                for (int step = 1; step <= 3; step++) {
                    assertThat(quantizer.step()).isEqualTo(step);
                    try (NDManager batch = trainer.getManager().newSubManager();
                            GradientCollector collector = trainer.newGradientCollector()) {
                        NDArray x = batch.create(new float[] {1, step}, new Shape(1, 2));
                        collector.backward(
                                trainer.getLoss()
                                        .evaluate(
                                                new NDList(batch.ones(new Shape(1, 1))),
                                                trainer.forward(new NDList(x))));
                    }
                    trainer.step();
                }
            }
        }
    }

    @Test
    void step_evaluationsInBetween_countNothing() throws IOException {
        counted(
                (model, quantizer, trainer) -> {
                    for (int i = 0; i < 5; i++) {
                        evaluate(trainer);
                    }
                    assertThat(quantizer.step()).isEqualTo(1);
                    forwardAndBackward(trainer, 1);
                    evaluate(trainer);
                    trainer.step();
                    evaluate(trainer);
                    assertThat(quantizer.step()).isEqualTo(2);
                });
    }

    @Test
    void train_optimizerOfTheUser_isNoticedByTheThirdForward() {
        try (Model model = Networks.smallModel(1);
                QATQuantizer quantizer = new QATQuantizer(model, ALL, Networks.sgd(0.1f))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, Networks.sgd(0.1f))) {
                forwardAndBackward(trainer, 1);
                trainer.step();
                forwardAndBackward(trainer, 2);
                trainer.step();
                assertThatThrownBy(() -> forwardAndBackward(trainer, 3))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage(UNCOUNTED);
            }
        }
    }

    /** Fine-tuning often freezes the first layers, and then only the last ones move. */
    @Test
    void train_optimizerOfTheUserAndFrozenLayers_isNoticed() {
        try (Model model = Networks.smallModel(1);
                QATQuantizer quantizer = new QATQuantizer(model, ALL, Networks.sgd(0.1f))) {
            quantizer.compress();
            model.getBlock().getParameters().get("01Conv2d_weight").freeze(true);
            model.getBlock().getParameters().get("01Conv2d_bias").freeze(true);
            try (Trainer trainer = Networks.trainer(model, Networks.sgd(0.1f))) {
                forwardAndBackward(trainer, 1);
                trainer.step();
                forwardAndBackward(trainer, 2);
                trainer.step();
                assertThatThrownBy(() -> forwardAndBackward(trainer, 3)).hasMessage(UNCOUNTED);
            }
        }
    }

    @Test
    void train_manyForwardsWithoutAStep_isNoFalseAlarm() throws IOException {
        counted(
                (model, quantizer, trainer) -> {
                    for (int i = 0; i < 8; i++) {
                        forwardAndBackward(trainer, i);
                        evaluate(trainer);
                    }
                    assertThat(quantizer.step()).isEqualTo(1);
                });
    }

    @Test
    void train_parametersLoadedInBetween_isNoFalseAlarm(@TempDir Path folder) throws IOException {
        counted(
                (model, quantizer, trainer) -> {
                    model.save(folder, "first");
                    forwardAndBackward(trainer, 1);
                    trainer.step();
                    for (int i = 0; i < 3; i++) {
                        forwardAndBackward(trainer, i);
                    }
                    try {
                        model.load(folder, "first");
                    } catch (MalformedModelException e) {
                        throw new IOException(e);
                    }
                    assertThatCode(
                                    () -> {
                                        forwardAndBackward(trainer, 8);
                                        forwardAndBackward(trainer, 9);
                                    })
                            .doesNotThrowAnyException();
                });
    }

    @Test
    void train_uninitializedModel_isInitializedByTheTrainer() {
        try (Model model = Model.newInstance("late")) {
            model.setBlock(Networks.small());
            try (QATQuantizer quantizer = new QATQuantizer(model, ALL, Networks.sgd(0.1f))) {
                quantizer.compress();
                try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                    trainer.initialize(Networks.SMALL);
                    forwardAndBackward(trainer, 1);
                    trainer.step();
                    forwardAndBackward(trainer, 2);
                    trainer.step();
                    assertThat(quantizer.step()).isEqualTo(3);
                    assertThat(quantizer.calibration().layers())
                            .allSatisfy(layer -> assertThat(layer.tensors()).hasSize(2));
                }
            }
        }
    }

    @Test
    void forward_modelNotInitialized_saysHowToInitialize() {
        try (Model model = Model.newInstance("late")) {
            model.setBlock(Networks.small());
            try (QATQuantizer quantizer = new QATQuantizer(model, ALL, Networks.sgd(0.1f))) {
                quantizer.compress();
                assertThatThrownBy(
                                () ->
                                        Networks.evaluate(
                                                model,
                                                Networks.random(Networks.SMALL, 1),
                                                Networks.SMALL))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage(
                                "layer \"01Conv2d\" is not initialized; call"
                                        + " trainer.initialize(shape), or initialize the model's"
                                        + " block, first");
                model.getBlock().initialize(model.getNDManager(), DataType.FLOAT32, Networks.SMALL);
                assertThatCode(
                                () ->
                                        Networks.evaluate(
                                                model,
                                                Networks.random(Networks.SMALL, 1),
                                                Networks.SMALL))
                        .doesNotThrowAnyException();
            }
        }
    }

    @Test
    @SuppressWarnings("NullAway") // which is what callers without it find out here
    void new_withoutOptimizer_isRefused() {
        try (Model model = Networks.smallModel(1)) {
            assertThatThrownBy(() -> new QATQuantizer(model, ALL, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("algorithm \"qat\" trains and needs the optimizer");
        }
    }
}
