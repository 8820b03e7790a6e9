package org.nni4j.algorithms.pact;

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
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigException;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationKernels;

class PactTest {

    /** Nothing but the loss moves a level that does not decay. */
    @Test
    void training_movesTheLevels() {
        assertThat(scalesAfterAStep(.1)).hasSize(3).doesNotContain(.1f / 255);
    }

    /** A level that no value reaches has no gradient. */
    @Test
    void levels_aboveEverything_stay() {
        assertThat(scalesAfterAStep(30)).containsExactly(30f / 255, 30f / 255, 30f / 255);
    }

    /** The scales, a level's 255th each, of the outputs of LeNet's ReLUs. */
    private static List<Float> scalesAfterAStep(double initialLevel) {
        Map<String, Object> reluOutputs =
                Map.of(
                        "quant_types", List.of("output"),
                        "quant_bits", 8,
                        "op_types", List.of("ReLU"),
                        "settings", Map.of("initial_level", initialLevel, "level_decay", 0.0));
        try (Model model = Networks.lenetModel(1);
                PactQuantizer quantizer =
                        new PactQuantizer(model, List.of(reluOutputs), Networks.sgd(.1f))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                Shape images = new Shape(4, 1, 28, 28);
                trainer.initialize(images);
                Networks.step(trainer, images, 10, 1);
            }
            return quantizer.calibration().layers().stream()
                    .map(layer -> layer.tensors().get(0).calibration().parameters())
                    .map(parameters -> parameters.scale()[0])
                    .toList();
        }
    }

    /** The clipping level's own decay is added to its gradient. */
    @Test
    void beforeUpdate_addsTheDecay() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(Map.of("level_decay", .25), manager)) {
            Parameter level = quantizer.learnedParameters().get(0);
            NDArray gradient = manager.create(new float[] {3});
            quantizer.beforeUpdate(level, level.getArray(), gradient);
            assertThat(gradient.toFloatArray()).containsExactly(3 + .25f * 8);
        }
    }

    @Test
    void level_underAHugeUpdate_staysPositive() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(Map.of(), manager)) {
            Parameter level = quantizer.learnedParameters().get(0);
            quantizer.beforeUpdate(level, level.getArray(), manager.create(new float[] {0}));
            level.getArray().set(new float[] {-100});
            quantizer.afterUpdate(level, level.getArray());
            assertThat(level.getArray().toFloatArray()).containsExactly(4);
        }
    }

    /**
     * The loss is the level, as the one value lies above it: its gradient is 1 + 0.25 · 2 = 1.5,
     * and 2 - 0.5 · 1.5 = 1.25.
     */
    @Test
    void step_ofALevelWithDecay_isExact() {
        assertThat(levelAfterAStep(Map.of("level_decay", .25))).isEqualTo(1.25f);
    }

    /** Half of the step before: 2 - 0.5 · 0.75 = 1.625. */
    @Test
    void step_withALearningRateMultiple_isThatShareOfAStep() {
        assertThat(levelAfterAStep(Map.of("level_decay", .25, "learning_rate_multiple", .5)))
                .isEqualTo(1.625f);
    }

    /** The multiple is the level's alone. */
    @Test
    void learningRateMultiple_leavesTheNetworksOwnParameters() {
        Map<String, Object> decay = Map.of("level_decay", .25);
        Map<String, Object> slow = Map.of("level_decay", .25, "learning_rate_multiple", .5);
        assertThat(afterAStep(slow).weight()).isEqualTo(afterAStep(decay).weight());
    }

    private record Stepped(float level, float weight) {}

    private static float levelAfterAStep(Map<String, Object> settings) {
        return afterAStep(settings).level();
    }

    /** One step at a rate of 0.5 of a layer that multiplies by 1, with input 3 and level 2. */
    private static Stepped afterAStep(Map<String, Object> settings) {
        Map<String, Object> all = new LinkedHashMap<>(settings);
        all.put("initial_level", 2);
        Map<String, Object> inputs =
                Map.of(
                        "quant_types",
                        List.of("input"),
                        "quant_bits",
                        4,
                        "op_types",
                        List.of("Linear"),
                        "settings",
                        all);
        try (Model model = Networks.linear(new float[][] {{1}});
                PactQuantizer quantizer =
                        new PactQuantizer(model, List.of(inputs), Networks.sgd(.5f))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(new Shape(1, 1));
                try (NDManager batch = trainer.getManager().newSubManager()) {
                    try (GradientCollector collector = trainer.newGradientCollector()) {
                        NDArray x = batch.create(new float[] {3}, new Shape(1, 1));
                        collector.backward(trainer.forward(new NDList(x)).head().sum());
                    }
                    trainer.step();
                }
            }
            TensorCalibration input =
                    quantizer
                            .calibration()
                            .layers()
                            .get(0)
                            .tensor(QuantType.INPUT, "0")
                            .orElseThrow();
            return new Stepped(
                    Objects.requireNonNull(input.max())[0],
                    model.getBlock().getParameters().valueAt(0).getArray().toFloatArray()[0]);
        }
    }

    /**
     * A level has one floor, in training and out of it: 255 steps of the smallest scale are more.
     */
    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void evaluation_withATinyLevel_isAsTraining(String kernels) {
        Shape shape = new Shape(5);
        float[] x = {-1, 0, 3e-7f, 1e-6f, 2};
        Map<String, Object> tiny = Map.of("initial_level", 1e-6);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "pact",
                                Points.point("pact", QuantType.OUTPUT, 8, tiny),
                                manager,
                                QuantizationKernels.create(kernels, manager))) {
            float[] trained = Points.train(quantizer, x, shape, x).output();
            assertThat(Points.evaluate(quantizer, x, shape)).isEqualTo(trained);
            assertThat(trained[4]).isEqualTo(1e-6f);
            TensorCalibration found = quantizer.calibration().orElseThrow();
            assertThat(found.parameters().scale()).containsExactly(1e-6f / 255);
            quantizer.restore(found);
            assertThat(Points.evaluate(quantizer, x, shape)).isEqualTo(trained);
        }
    }

    /** Without rounding, the output is smooth in the level; the gradient is its slope. */
    @Test
    void levelGradient_isThatOfClipping() {
        for (int seed = 0; seed < 10; seed++) {
            Random random = new Random(seed);
            float[] x = new float[50];
            float[] upstream = new float[50];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) random.nextGaussian() * 3;
                upstream[i] = (float) random.nextGaussian();
            }
            float level = 1 + random.nextFloat() * 3;
            try (NDManager manager = NDManager.newBaseManager();
                    TensorQuantizer quantizer = quantizer(Map.of(), manager)) {
                quantizer.load(new QuantizerState(Map.of("level", new float[] {level}), Map.of()));
                float found =
                        Points.train(quantizer, x, new Shape(50), upstream).learned().get(0)[0];
                double h = 1e-6;
                double slope =
                        (clipped(x, upstream, level + h) - clipped(x, upstream, level - h))
                                / (2 * h);
                assertThat((double) found).as("seed %d", seed).isCloseTo(slope, within(1e-4));
            }
        }
    }

    private static double clipped(float[] x, float[] upstream, double level) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += upstream[i] * Math.max(0, Math.min(level, x[i]));
        }
        return sum;
    }

    /** What is exported are the levels that training saw: odd multiples of the scale. */
    @ParameterizedTest
    @CsvSource({
        "sawb,2,FLOAT32", "sawb,3,FLOAT32", "sawb,4,FLOAT32", "sawb,5,FLOAT32",
        "sawb,4,FLOAT16", "dorefa,4,FLOAT32", "dorefa,1,FLOAT32", "dorefa,1,FLOAT16"
    })
    void calibration_ofAWeight_hasTheScaleOfItsLevels(String weights, int bits, DataType dataType) {
        Map<String, Object> settings = Map.of("weights", weights);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "pact",
                                Points.point("pact", QuantType.WEIGHT, bits, settings),
                                manager)) {
            Engine.getInstance().setRandomSeed(3);
            NDArray weight = manager.randomNormal(new Shape(8, 16)).toType(dataType, false);
            quantizer.describe(weight);
            float scale = quantizer.calibration().orElseThrow().parameters().scale()[0];
            NDArray levels = quantizer.quantize(weight, Points.context(manager, false));
            // float16 has 11 bits
            float tolerance = dataType == DataType.FLOAT16 ? 2e-2f : 1e-4f;
            for (float level : levels.toType(DataType.FLOAT32, false).toFloatArray()) {
                float multiple = Math.abs(level / scale);
                assertThat(multiple).isCloseTo(Math.round(multiple), within(tolerance));
                assertThat(Math.round(multiple) % 2).isOne();
                assertThat(Math.round(multiple)).isLessThan(1 << bits);
            }
        }
    }

    /** The square of 1e-4, which many a weight is near, is 0 in float16. */
    @ParameterizedTest
    @CsvSource({"2", "3", "4", "5"})
    void sawb_ofSmallFloat16Weights_hasTheLevelOfTheSameNumbersInFloat32(int bits) {
        try (NDManager manager = NDManager.newBaseManager()) {
            Engine.getInstance().setRandomSeed(4);
            NDArray narrow =
                    manager.randomNormal(0, 1e-4f, new Shape(32, 32), DataType.FLOAT32)
                            .toType(DataType.FLOAT16, false);
            NDArray wide = narrow.toType(DataType.FLOAT32, false);
            float expected = sawbLevel(wide, bits, manager);
            assertThat(sawbLevel(narrow, bits, manager)).isEqualTo(expected);
            float largest = largestSawb(narrow, bits, manager);
            // float16 has 11 bits
            assertThat(largest / expected).isCloseTo(1, within(1e-3f));
        }
    }

    private static float sawbLevel(NDArray weight, int bits, NDManager manager) {
        try (TensorQuantizer quantizer = sawb(bits, manager)) {
            quantizer.describe(weight);
            return Objects.requireNonNull(quantizer.calibration().orElseThrow().max())[0];
        }
    }

    private static float largestSawb(NDArray weight, int bits, NDManager manager) {
        try (TensorQuantizer quantizer = sawb(bits, manager)) {
            NDArray levels = quantizer.quantize(weight, Points.context(manager, false));
            assertThat(levels.getDataType()).isEqualTo(weight.getDataType());
            return levels.toType(DataType.FLOAT32, false).max().toFloatArray()[0];
        }
    }

    private static TensorQuantizer sawb(int bits, NDManager manager) {
        return Points.quantizer(
                "pact",
                Points.point("pact", QuantType.WEIGHT, bits, Map.of("weights", "sawb")),
                manager);
    }

    /** An option that nothing in the layer has a use for is not accepted and ignored. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "weights | input | expected weight in quant_types",
                "weights | output | expected weight in quant_types",
                "initial_level | weight | expected input or output in quant_types",
                "level_decay | weight | expected input or output in quant_types",
                "learning_rate_multiple | weight | expected input or output in quant_types"
            })
    void setting_thatNoPointOfTheLayerUses_isAConfigError(
            String key, String type, String expected) {
        Object value = key.equals("weights") ? "sawb" : (Object) 1;
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of(type),
                        "quant_bits", 4,
                        "op_names", List.of("01Conv2d"),
                        "settings", Map.of(key, value));
        try (Model model = Networks.smallModel(1)) {
            assertThatThrownBy(() -> new PactQuantizer(model, List.of(entry), Networks.sgd(.1f)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("config[0]: layer \"01Conv2d\" (Conv2d)")
                    .hasMessageContaining(key + ": " + value)
                    .hasMessageContaining(expected);
        }
    }

    /** Settings of weights and of levels go together where both are quantized. */
    @Test
    void settings_thatSomePointUses_areFine() {
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of("weight", "output"),
                        "quant_bits", 4,
                        "op_names", List.of("01Conv2d"),
                        "settings", Map.of("weights", "sawb", "initial_level", 3));
        try (Model model = Networks.smallModel(1)) {
            new PactQuantizer(model, List.of(entry), Networks.sgd(.1f)).close();
        }
    }

    @Test
    void sawb_ofUnsupportedWidth_isAConfigError() {
        try (Model model = Networks.lenetModel(1)) {
            assertThatThrownBy(
                            () ->
                                    new PactQuantizer(
                                            model,
                                            List.of(
                                                    Map.of(
                                                            "quant_types", List.of("weight"),
                                                            "quant_bits", 8,
                                                            "op_types", List.of("Conv2d"),
                                                            "settings", Map.of("weights", "sawb"))),
                                            Networks.sgd(.1f)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("8 bits is not supported by SAWB; expected 2..5");
        }
    }

    private static TensorQuantizer quantizer(Map<String, Object> settings, NDManager manager) {
        return Points.quantizer(
                "pact", Points.point("pact", QuantType.INPUT, 4, settings), manager);
    }
}
