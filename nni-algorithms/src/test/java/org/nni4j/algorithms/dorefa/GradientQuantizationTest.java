package org.nni4j.algorithms.dorefa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.ConfigException;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationKernels;

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

    /** An example that is learned has a gradient of nothing; the smallest float is 0 in float16. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT16", "FLOAT64"})
    void quantize_inAnotherType_isThatOfFloat32(DataType type) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray gradient =
                    manager.create(new float[] {-2, -1, 1, 2, 0, 0, 0, 0}, new Shape(2, 4));
            NDArray noise =
                    manager.create(
                            new float[] {0, .125f, -.125f, 0, .125f, -.125f, .0625f, 0},
                            new Shape(2, 4));
            NDArray expected = DoReFaGradientQuantizer.quantize(gradient, noise, 2);
            NDArray found =
                    DoReFaGradientQuantizer.quantize(
                            gradient.toType(type, true), noise.toType(type, true), 2);
            assertThat(found.getDataType()).isEqualTo(type);
            assertThat(found.toType(DataType.FLOAT32, false).toFloatArray())
                    // 2/3 has eleven bits in float16
                    .containsExactly(expected.toFloatArray(), within(1e-3f))
                    .endsWith(0, 0, 0, 0);
        }
    }

    /** Twice the largest gradient is beyond float16, and beyond float32. */
    @ParameterizedTest
    @CsvSource({"FLOAT16, 40000", "FLOAT32, 2e38", "FLOAT64, 1e308", "FLOAT64, 1e-300"})
    void quantize_atTheEndsOfAType_staysThere(DataType type, double largest) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray gradient =
                    manager.create(new double[] {-largest, 0, largest}, new Shape(1, 3))
                            .toType(type, false);
            NDArray found = DoReFaGradientQuantizer.quantize(gradient, gradient.zerosLike(), 1);
            assertThat(found.abs().eq(gradient.abs().max()).all().getBoolean())
                    .as(found.toString())
                    .isTrue();
        }
    }

    /**
     * The noise makes rounding unbiased, whatever lies between two levels: over many steps each
     * gradient is met in the mean, and varies as a choice between its two neighbours does. So the
     * noise is uniform, and exactly as wide as a step.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void backward_manySteps_isUnbiasedWithTheVarianceOfEquation12(int bits) {
        float[] wanted = {1, -1, 0, .95f, .55f, .2f, .05f, -.1f, -.35f, -.7f};
        int k = (1 << bits) - 1;
        List<float[]> steps = backward(bits, wanted, 4000);
        for (int i = 0; i < wanted.length; i++) {
            double mean = 0;
            double square = 0;
            for (float[] step : steps) {
                mean += step[i] / steps.size();
                square += (double) step[i] * step[i] / steps.size();
            }
            double level = (wanted[i] + 1.0) / 2 * k;
            double up = level - Math.floor(level);
            double variance = up * (1 - up) * 4 / k / k; // levels are 2 / k apart
            // Four and a half deviations; 1e-6 for float32 where nothing is left to chance.
            double slack = 4.5 * Math.sqrt(variance / steps.size()) + 1e-6;
            assertThat(mean).as("mean for %s", wanted[i]).isCloseTo(wanted[i], within(slack));
            // As far as the mean may be off; the square of a value within ±1 varies at most twice
            // as much.
            assertThat(square - mean * mean)
                    .as("variance for %s", wanted[i])
                    .isCloseTo(variance, within(4 * slack));
        }
    }

    /** In the middle between two levels only the noise decides: up or down, each time anew. */
    @Test
    void backward_ofOtherStepsAndPlaces_isIndependent() {
        int n = 5000;
        float[] wanted = new float[n];
        wanted[0] = 1;
        List<float[]> steps = backward(1, wanted, 3);
        for (int i = 0; i < steps.size(); i++) {
            for (int j = 0; j <= i; j++) {
                for (int lag = i == j ? 1 : -2; lag <= 2; lag++) {
                    double agreement = 0;
                    for (int p = 3; p < n - 2; p++) {
                        agreement += steps.get(i)[p] * steps.get(j)[p + lag] / (n - 5);
                    }
                    // four and a half deviations of a mean of n values of ±1
                    assertThat(agreement)
                            .as("steps %d and %d, %d places apart", i, j, lag)
                            .isCloseTo(0, within(.065));
                }
            }
        }
    }

    /** The gradients that come through a quantizer as users get it, one row for each step. */
    private static List<float[]> backward(int bits, float[] upstream, int steps) {
        DoReFaAlgorithm algorithm = new DoReFaAlgorithm();
        QuantizationPoint point =
                Points.point("dorefa", QuantType.OUTPUT, bits, Map.of("output_gradient", true));
        List<float[]> gradients = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        algorithm.create(
                                point,
                                new AlgorithmContext(
                                        manager,
                                        QuantizationKernels.create("ndarray", manager),
                                        42))) {
            for (int step = 0; step < steps; step++) {
                try (NDManager pass = manager.newSubManager()) {
                    NDArray x = pass.zeros(new Shape(1, upstream.length));
                    x.setRequiresGradient(true);
                    try (GradientCollector collector =
                            Engine.getInstance().newGradientCollector()) {
                        NDArray y = quantizer.quantize(x.mul(1), Points.context(pass, true));
                        NDArray g = pass.create(upstream, x.getShape());
                        collector.backward(y.mul(g).sum());
                    }
                    algorithm.cuts().proceed();
                    gradients.add(x.getGradient().toFloatArray());
                }
            }
        }
        return gradients;
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

    /** Outputs keep their values, so that there is nothing to find out about them. */
    @Test
    void calibration_namesNoOutput_andIsTakenBack() {
        try (Model model = Networks.lenetModel(1);
                DoReFaQuantizer quantizer = quantizer(model, "Conv2d")) {
            quantizer.compress();
            assertThat(quantizer.calibration().layers())
                    .allSatisfy(layer -> assertThat(layer.unobserved()).isEmpty());
            step(model, quantizer, 1);
            CalibrationConfig calibration = quantizer.calibration();
            assertThat(calibration.layers()).hasSize(2);
            assertThat(calibration.layers())
                    .allSatisfy(layer -> assertThat(layer.tensors()).isEmpty())
                    .allSatisfy(layer -> assertThat(layer.unobserved()).isEmpty());
            CalibrationConfig read = CalibrationConfig.fromJson(calibration.toJson());
            quantizer.loadCalibration(read);
            assertThat(quantizer.calibration()).isEqualTo(calibration);
        }
    }

    /** One of a run in which the same outputs were quantized themselves. */
    @Test
    void loadCalibration_ofQuantizedOutputs_isAConfigError() {
        CalibrationConfig other;
        try (Model model = Networks.lenetModel(1);
                DoReFaQuantizer quantizer =
                        quantizer(model, Map.of("output_gradient", false), "Conv2d")) {
            quantizer.compress();
            step(model, quantizer, 1);
            other = quantizer.calibration();
        }
        try (Model model = Networks.lenetModel(1);
                DoReFaQuantizer quantizer = quantizer(model, "Conv2d")) {
            quantizer.compress();
            assertThatThrownBy(() -> quantizer.loadCalibration(other))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("layers[\"01Conv2d\"].output[\"0\"]")
                    .hasMessageContaining("expected no calibration");
        }
    }

    /** DJL finds that no gradient came anywhere; whoever goes on is told what stopped them. */
    @Test
    void training_withoutListener_throwsAtTheFirstStep() {
        try (Model model = Networks.lenetModel(1);
                DoReFaQuantizer quantizer = quantizer(model, "Conv2d")) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(IMAGES);
                assertThatThrownBy(() -> Networks.step(trainer, IMAGES, 10, 1))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("Gradient values are all zeros");
                assertThatThrownBy(() -> Networks.step(trainer, IMAGES, 10, 2))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("gradientListener()");
            }
        }
    }

    /** After the start step of a trainer that has passed DJL's check of the first gradients. */
    @Test
    void training_onWithoutListener_throwsAtTheStepAfter() {
        try (Model model = Networks.lenetModel(1);
                DoReFaQuantizer quantizer = quantizer(model, "Conv2d")) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(IMAGES);
                Networks.step(trainer, IMAGES, 10, 1, quantizer::proceedBackward);
                Networks.step(trainer, IMAGES, 10, 2);
                assertThatThrownBy(() -> Networks.step(trainer, IMAGES, 10, 3))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("step 2 stopped")
                        .hasMessageContaining("gradientListener()");
            }
        }
    }

    private static DoReFaQuantizer quantizer(Model model, String... opTypes) {
        return quantizer(model, Map.of("output_gradient", true), opTypes);
    }

    private static DoReFaQuantizer quantizer(
            Model model, Map<String, Object> settings, String... opTypes) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("quant_types", List.of("output"));
        entry.put("quant_bits", 8);
        entry.put("op_types", List.of(opTypes));
        entry.put("settings", settings);
        return new DoReFaQuantizer(model, List.of(entry), Networks.sgd(.1f));
    }
}
