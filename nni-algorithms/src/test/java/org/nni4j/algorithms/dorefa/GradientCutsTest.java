package org.nni4j.algorithms.dorefa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.fakequant.ForwardContext;

/** Where backward passes stop, and passes that never come so far. */
class GradientCutsTest {

    private static final Shape SHAPE = Networks.SMALL;

    @Test
    void cut_ofAComputedTensor_isALeaf() {
        GradientCuts cuts = new GradientCuts();
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.create(new float[] {1, 2});
            x.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray leaf = cuts.cut(x.mul(3), g -> g.mul(10), call(manager));
                collector.backward(leaf.mul(7).sum());
            }
            assertThat(x.getGradient().toFloatArray()).containsOnly(0);
            cuts.proceed();
            assertThat(x.getGradient().toFloatArray()).containsOnly(3 * 10 * 7);
        }
    }

    @Test
    void cut_whereNothingLearns_goesNoFurther() {
        GradientCuts cuts = new GradientCuts();
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray frozen = manager.create(new float[] {1, 2});
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray leaf = cuts.cut(frozen.mul(3), g -> g.mul(10), call(manager));
                collector.backward(leaf.mul(7).sum());
            }
            cuts.proceed();
            assertThat(frozen.hasGradient()).isFalse();
        }
    }

    @Test
    void anEmptyBatch_hasAnEmptyGradient() {
        GradientCuts cuts = new GradientCuts();
        try (NDManager manager = NDManager.newBaseManager()) {
            Shape none = new Shape(0, 3);
            NDArray empty = manager.create(new float[0], none);
            assertThat(DoReFaGradientQuantizer.quantize(empty, empty, 2).getShape())
                    .isEqualTo(none);
            empty.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray leaf =
                        cuts.cut(
                                empty.mul(3),
                                g -> DoReFaGradientQuantizer.quantize(g, g.zerosLike(), 2),
                                call(manager));
                collector.backward(leaf.sum());
            }
            cuts.proceed();
            assertThat(empty.getGradient().getShape()).isEqualTo(none);
        }
    }

    /**
     * By hand: y = 2x is cut, z = 3y is cut, and both are added up. z's gradient 1 becomes 1 + 1;
     * y's is 1 from the sum and 3 · 2 from z, and becomes 8; so x's is 2 · 8.
     */
    @Test
    void proceed_changesASumOnceItIsComplete() {
        GradientCuts cuts = new GradientCuts();
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.create(new float[] {5});
            x.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray y = cuts.cut(x.mul(2), g -> g.add(1), call(manager));
                NDArray z = cuts.cut(y.mul(3), g -> g.add(1), call(manager));
                collector.backward(y.add(z).sum());
            }
            cuts.proceed();
            assertThat(x.getGradient().toFloatArray()).containsExactly(16);
        }
    }

    @Test
    void leave_ofANetworkWithoutCuts_isTheOutput() {
        GradientCuts cuts = new GradientCuts();
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray output = manager.create(1f);
            assertThat(cuts.leave(output, call(manager))).isSameAs(output);
        }
    }

    @Test
    void leave_inEvaluation_isTheOutput() {
        GradientCuts cuts = new GradientCuts();
        try (NDManager manager = NDManager.newBaseManager()) {
            cuts.cut(manager.create(1f), g -> g, call(manager));
            NDArray output = manager.create(1f);
            assertThat(cuts.leave(output, Points.context(manager, false))).isSameAs(output);
        }
    }

    /** The loss's own pass frees what it goes through. */
    @Test
    void proceed_whereTheLossReadsTheInside_saysWhatItMayRead() {
        GradientCuts cuts = new GradientCuts();
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.create(new float[] {5});
            x.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray inside = x.exp();
                NDArray y = cuts.cut(inside.mul(2), g -> g, call(manager));
                NDArray output = cuts.leave(y.mul(2), call(manager));
                collector.backward(output.add(inside).sum());
            }
            assertThatThrownBy(cuts::proceed)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("step 1: the backward pass cannot go on")
                    .hasMessageContaining("outputs of the model's block");
            cuts.proceed(); // nothing is left of it
        }
    }

    private static ForwardContext call(NDManager manager) {
        return Points.context(manager, true);
    }

    @Test
    void training_behindFrozenLayers_movesTheOthers() {
        try (Model model = Networks.smallModel(1);
                DoReFaQuantizer quantizer = quantizer(model)) {
            model.getBlock().getChildren().get("01Conv2d").freezeParameters(true);
            Map<String, float[]> before = Networks.values(model.getBlock());
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(SHAPE);
                step(trainer, quantizer, 1);
            }
            quantizer.restore();
            Map<String, float[]> after = Networks.values(model.getBlock());
            before.forEach(
                    (name, values) -> {
                        if (name.startsWith("01Conv2d")) {
                            assertThat(after.get(name)).as(name).isEqualTo(values);
                        } else {
                            assertThat(after.get(name)).as(name).isNotEqualTo(values);
                        }
                    });
        }
    }

    /** Its batch is still there, but the loss's backward pass never came to it. */
    @Test
    void aPassThatFailed_leavesNoTrace() {
        Map<String, float[]> expected = trained(false);
        Map<String, float[]> found = trained(true);
        expected.forEach((name, v) -> assertThat(found.get(name)).as(name).isEqualTo(v));
    }

    private static Map<String, float[]> trained(boolean failing) {
        try (Model model = Networks.smallModel(1);
                DoReFaQuantizer quantizer = quantizer(model);
                NDManager kept = model.getNDManager().newSubManager()) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(SHAPE);
                if (failing) {
                    fail(trainer, kept);
                }
                step(trainer, quantizer, 1);
                step(trainer, quantizer, 2);
            }
            return Networks.values(model.getBlock());
        }
    }

    @Test
    void aPassThatFailedAndWasClosed_isAnErrorOnceOrDiscarded() {
        try (Model model = Networks.smallModel(1);
                DoReFaQuantizer quantizer = quantizer(model)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(SHAPE);
                failClosed(trainer);
                assertThatThrownBy(() -> step(trainer, quantizer, 1))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("step 1")
                        .hasMessageContaining("discardBackward()");
                step(trainer, quantizer, 1);
                failClosed(trainer);
                assertThatThrownBy(quantizer::proceedBackward)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("discardBackward()");
                failClosed(trainer);
                quantizer.discardBackward();
                step(trainer, quantizer, 2);
            }
        }
    }

    private static void failClosed(Trainer trainer) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            fail(trainer, batch);
        }
    }

    /** As when something goes wrong between the forward and the backward pass. */
    private static void fail(Trainer trainer, NDManager batch) {
        GradientCollector collector = trainer.newGradientCollector();
        trainer.forward(new NDList(batch.create(Networks.random(SHAPE, 9), SHAPE)));
        collector.close();
    }

    private static void step(Trainer trainer, DoReFaQuantizer quantizer, long seed) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            NDArray x = batch.create(Networks.random(SHAPE, seed), SHAPE);
            NDArray labels = batch.create(new float[] {0, 1, 2, 1});
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList scores = trainer.forward(new NDList(x));
                collector.backward(trainer.getLoss().evaluate(new NDList(labels), scores));
            }
            quantizer.proceedBackward();
            trainer.step();
        }
    }

    private static DoReFaQuantizer quantizer(Model model) {
        return new DoReFaQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types", List.of("output"),
                                "quant_bits", 8,
                                "op_types", List.of("Conv2d"),
                                "settings", Map.of("output_gradient", true))),
                Networks.sgd(.1f));
    }
}
