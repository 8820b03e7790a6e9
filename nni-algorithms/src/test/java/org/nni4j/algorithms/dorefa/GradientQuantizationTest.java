package org.nni4j.algorithms.dorefa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.Networks;

class GradientQuantizationTest {

    private static final Shape IMAGES = new Shape(4, 1, 28, 28);

    /**
     * By hand: k = 3 levels above the first; m = 2: g / 4 + 1/2 is 0, 1/4, 3/4, 1, on levels 0,
     * 1/3, 2/3, 1.
     */
    @Test
    void quantize_withoutNoise_isEquation12() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray gradient =
                    manager.create(new float[] {-2, -1, 1, 2, 0, 0, 0, 0}, new Shape(2, 4));
            NDArray none = gradient.zerosLike();
            float third = 4f / 3 / 2; // 2 m (2/3 - 1/2)
            assertThat(DoReFaGradientQuantizer.quantize(gradient, none, 2).toFloatArray())
                    .containsExactly(new float[] {-2, -third, third, 2, 0, 0, 0, 0}, within(1e-6f));
        }
    }

    /** The noise makes rounding unbiased: the mean of many draws is the gradient. */
    @Test
    void quantize_withNoise_isUnbiased() {
        int n = 40_000;
        Random random = new Random(1);
        float[] values = new float[n];
        float[] noise = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = i == 0 ? 1 : .2f;
            noise[i] = (random.nextFloat() - .5f) / 3;
        }
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray quantized =
                    DoReFaGradientQuantizer.quantize(
                            manager.create(values, new Shape(1, n)),
                            manager.create(noise, new Shape(1, n)),
                            2);
            // levels are 2/3 apart: four standard deviations of at most 1/3 / sqrt(n)
            assertThat(quantized.mean().toFloatArray()[0]).isCloseTo(.2f, within(.007f));
        }
    }

    @Test
    void training_atEightBits_isNearPlainTraining() {
        Map<String, float[]> start;
        try (Model model = Networks.lenetModel(1)) {
            start = Networks.values(model.getBlock());
        }
        Map<String, float[]> plain = trained(false);
        Map<String, float[]> quantized = trained(true);
        float[] from = Objects.requireNonNull(start.get("01Conv2d_weight"));
        float[] a = Objects.requireNonNull(plain.get("01Conv2d_weight"));
        float[] b = Objects.requireNonNull(quantized.get("01Conv2d_weight"));
        double moved = 0;
        double apart = 0;
        for (int i = 0; i < a.length; i++) {
            moved += (a[i] - from[i]) * (a[i] - from[i]);
            apart += (a[i] - b[i]) * (a[i] - b[i]);
        }
        assertThat(apart).isPositive();
        // 255 levels for each example's gradients, at three outputs behind each other
        assertThat(Math.sqrt(apart / moved)).isLessThan(.1);
    }

    private static Map<String, float[]> trained(boolean quantized) {
        try (Model model = Networks.lenetModel(1);
                DoReFaQuantizer quantizer = quantizer(model, "Conv2d", "Linear")) {
            if (quantized) {
                quantizer.compress();
            }
            DefaultTrainingConfig config =
                    new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                            .optOptimizer(quantizer.optimizer())
                            .addTrainingListeners(quantizer.gradientListener());
            try (Trainer trainer = model.newTrainer(config);
                    NDManager manager = NDManager.newBaseManager()) {
                trainer.initialize(IMAGES);
                Random random = new Random(2);
                float[] data = new float[(int) IMAGES.size()];
                for (int i = 0; i < data.length; i++) {
                    data[i] = random.nextFloat();
                }
                ArrayDataset dataset =
                        new ArrayDataset.Builder()
                                .setData(manager.create(data, IMAGES))
                                .optLabels(manager.create(new float[] {1, 2, 3, 4}))
                                .setSampling(4, false)
                                .build();
                for (Batch batch : dataset.getData(manager)) {
                    try (batch) {
                        EasyTrain.trainBatch(trainer, batch);
                        trainer.step();
                    }
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            quantizer.restore();
            return Networks.values(model.getBlock());
        }
    }

    /** The noise goes on where it was left. */
    @Test
    void training_resumed_isTheSameToTheBit(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("net");
        try (Model model = Networks.lenetModel(1);
                Model fresh = Networks.lenetModel(2);
                DoReFaQuantizer quantizer = quantizer(model, "Conv2d");
                DoReFaQuantizer resumed = quantizer(fresh, "Conv2d")) {
            quantizer.compress();
            step(model, quantizer, 1);
            quantizer.saveCheckpoint(file);
            resumed.compress();
            resumed.loadCheckpoint(file);
            step(model, quantizer, 2);
            step(fresh, resumed, 2);
            Map<String, float[]> expected = Networks.values(model.getBlock());
            Networks.values(fresh.getBlock())
                    .forEach((name, v) -> assertThat(v).as(name).isEqualTo(expected.get(name)));
        }
    }

    /** A loop of one's own, which calls {@code proceedBackward} itself. */
    private static void step(Model model, DoReFaQuantizer quantizer, long seed) {
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer());
                NDManager batch = model.getNDManager().newSubManager()) {
            trainer.initialize(IMAGES);
            NDArray x = batch.create(Networks.random(IMAGES, seed), IMAGES);
            NDArray labels = batch.create(new float[] {1, 2, 3, 4});
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList scores = trainer.forward(new NDList(x));
                collector.backward(trainer.getLoss().evaluate(new NDList(labels), scores));
            }
            quantizer.proceedBackward();
            trainer.step();
        }
    }

    @Test
    void training_withoutListener_throwsAtTheSecondStep() {
        try (Model model = Networks.lenetModel(1);
                DoReFaQuantizer quantizer = quantizer(model, "Conv2d")) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(IMAGES);
                Networks.step(trainer, IMAGES, 10, 1);
                assertThatThrownBy(() -> Networks.step(trainer, IMAGES, 10, 2))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("gradientListener()");
            }
        }
    }

    private static DoReFaQuantizer quantizer(Model model, String... opTypes) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("quant_types", List.of("output"));
        entry.put("quant_bits", 8);
        entry.put("op_types", List.of(opTypes));
        entry.put("settings", Map.of("output_gradient", true));
        return new DoReFaQuantizer(model, List.of(entry), Networks.sgd(.1f));
    }
}
