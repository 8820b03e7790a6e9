package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.graph.Graph;
import org.nni4j.placement.PlannedFold;
import org.nni4j.placement.UnfoldedBatchNorm;

/** BatchNorm folding by QAT, on networks where NNI's goes wrong. */
class QatFoldingTest {

    private static final Shape INPUT = new Shape(4, 2, 6, 6);

    private static ConfigList weights() {
        return ConfigList.fromMaps(
                List.of(
                        Map.of(
                                "quant_types", List.of("weight"),
                                "quant_bits", 8,
                                "op_types", List.of("Conv2d"))));
    }

    private static Conv2d conv(int filters) {
        return Conv2d.builder()
                .setKernelShape(new Shape(3, 3))
                .optPadding(new Shape(1, 1))
                .setFilters(filters)
                .build();
    }

    private static Model model(Block block, int seed) {
        Engine.getInstance().setRandomSeed(seed);
        Model model = Model.newInstance("folding");
        block.initialize(model.getNDManager(), DataType.FLOAT32, INPUT);
        model.setBlock(block);
        return model;
    }

    private static SequentialBlock plain() {
        return new SequentialBlock()
                .add(conv(3))
                .add(BatchNorm.builder().build())
                .add(Activation.reluBlock())
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(3).build());
    }

    private static NDList dummy(NDManager manager) {
        return new NDList(manager.zeros(INPUT));
    }

    /**
     * NNI computes the statistics with the weight that the forward before left folded and quantized
     * (D3): its running means end at half the convolution's, and its outputs' means not at β.
     */
    @Test
    void train_constantData_statisticsConvergeToTheQuantizedConvolutions() {
        try (Model model =
                        model(
                                new SequentialBlock().add(conv(3)).add(BatchNorm.builder().build()),
                                5);
                NDManager manager = model.getNDManager().newSubManager();
                QATQuantizer quantizer =
                        new QATQuantizer(model, weights(), Networks.sgd(0), dummy(manager))) {
            NDArray x = manager.randomNormal(INPUT);
            NDArray y =
                    model.getBlock()
                            .getChildren()
                            .get(0)
                            .getValue()
                            .forward(
                                    new ai.djl.training.ParameterStore(manager, false),
                                    new NDList(x),
                                    false)
                            .head();
            float[] mean =
                    y.mean(new int[] {3}).mean(new int[] {2}).mean(new int[] {0}).toFloatArray();
            quantizer.compress();
            float[] data = x.toFloatArray();
            float[] upstream = new float[(int) y.size()];
            for (int i = 0; i < 200; i++) {
                Networks.train(model, data, INPUT, upstream);
            }
            float[] running =
                    model.getBlock()
                            .getParameters()
                            .get("02BatchNorm_runningMean")
                            .getArray()
                            .toFloatArray();
            // The quantized weight's mean: at most half a step (0.5 · 0.24 / 127) in each of 18
            // weights away from the float one's, times a mean input below 0.25.
            assertThat(running).containsExactly(mean, within(0.005f));
            assertThat(running).isNotEqualTo(mean);
            try (NDArray evaluated =
                            manager.create(Networks.evaluate(model, data, INPUT), y.getShape());
                    NDArray means =
                            evaluated.mean(new int[] {3}).mean(new int[] {2}).mean(new int[] {0})) {
                // β is 0; 0.9^200 of the initial statistics is left.
                assertThat(means.toFloatArray()).containsExactly(new float[3], within(1e-5f));
            }
        }
    }

    /** NNI replaces the BatchNorm by identity though nothing was folded (D4). */
    @Test
    void plan_convolutionWithoutWeightEntry_keepsItsBatchNorm() {
        try (Model model = model(plain(), 6);
                NDManager manager = model.getNDManager().newSubManager()) {
            ConfigList outputs =
                    ConfigList.fromMaps(
                            List.of(
                                    Map.of(
                                            "quant_types", List.of("output"),
                                            "quant_bits", 8,
                                            "op_types", List.of("Conv2d"))));
            float[] x = new float[(int) INPUT.size()];
            java.util.Arrays.fill(x, 0.5f);
            float[] before = Networks.evaluate(model, x, INPUT);
            try (QATQuantizer quantizer =
                    new QATQuantizer(model, outputs, Networks.sgd(0.1f), dummy(manager))) {
                assertThat(quantizer.plan().folds()).isEmpty();
                assertThat(quantizer.plan().unfolded())
                        .containsExactly(
                                new UnfoldedBatchNorm(
                                        "02BatchNorm",
                                        "the weight of \"01Conv2d\" is not quantized"));
                quantizer.compress();
                // No data was seen, so the output is not quantized yet.
                assertThat(Networks.evaluate(model, x, INPUT)).isEqualTo(before);
            }
        }
    }

    /** NNI folds a convolution whose output something else reads too (D17). */
    @Test
    void plan_outputWithTwoReaders_isNotFolded() {
        SequentialBlock network =
                new SequentialBlock()
                        .add(conv(3))
                        .add(
                                new ParallelBlock(
                                        lists ->
                                                new NDList(
                                                        lists.get(0)
                                                                .head()
                                                                .add(lists.get(1).head())),
                                        List.of(
                                                BatchNorm.builder().build(),
                                                Blocks.identityBlock())));
        try (Model model = model(network, 7);
                NDManager manager = model.getNDManager().newSubManager();
                QATQuantizer quantizer =
                        new QATQuantizer(model, weights(), Networks.sgd(0.1f), dummy(manager))) {
            assertThat(quantizer.plan().folds()).isEmpty();
            assertThat(quantizer.plan().unfolded())
                    .singleElement()
                    .satisfies(u -> assertThat(u.reason()).contains("is also read by"));
        }
    }

    /** NNI crashes on a BatchNorm without affine parameters (D17). */
    @Test
    void train_batchNormWithoutAffineParameters_isFolded() {
        SequentialBlock network =
                new SequentialBlock()
                        .add(conv(3))
                        .add(BatchNorm.builder().optScale(false).optCenter(false).build());
        try (Model model = model(network, 8);
                NDManager manager = model.getNDManager().newSubManager();
                QATQuantizer quantizer =
                        new QATQuantizer(model, weights(), Networks.sgd(0.1f), dummy(manager))) {
            assertThat(quantizer.plan().folds())
                    .containsExactly(new PlannedFold("01Conv2d", "02BatchNorm", 1e-5f, 0));
            quantizer.compress();
            float[] x = manager.randomNormal(INPUT).toFloatArray();
            float[] y = Networks.evaluate(model, x, INPUT);
            assertThat(y).hasSize(4 * 3 * 36).doesNotContain(Float.NaN);
        }
    }

    /**
     * w 2, γ 1.5, β 0.1, μ 0.3, σ² 4, ε 1e-5 → w' 1.49999821, and b' 0.24999982 of b 0.5, or
     * -0.12499974 without a bias.
     */
    @ParameterizedTest
    @CsvSource({"true, 0.24999982", "false, -0.12499974"})
    void evaluate_oneWeight_isNnisFoldFormula(boolean biased, float foldedBias) {
        SequentialBlock network =
                new SequentialBlock()
                        .add(
                                Conv2d.builder()
                                        .setKernelShape(new Shape(1, 1))
                                        .setFilters(1)
                                        .optBias(biased)
                                        .build())
                        .add(BatchNorm.builder().build());
        Shape one = new Shape(1, 1, 1, 1);
        Model model = Model.newInstance("formula");
        network.initialize(model.getNDManager(), DataType.FLOAT32, one);
        model.setBlock(network);
        try (model;
                NDManager manager = model.getNDManager().newSubManager()) {
            set(model, "01Conv2d_weight", 2);
            if (biased) {
                set(model, "01Conv2d_bias", 0.5f);
            }
            set(model, "02BatchNorm_gamma", 1.5f);
            set(model, "02BatchNorm_beta", 0.1f);
            set(model, "02BatchNorm_runningMean", 0.3f);
            set(model, "02BatchNorm_runningVar", 4);
            try (QATQuantizer quantizer =
                    new QATQuantizer(
                            model, weights(), Networks.sgd(0.1f), new NDList(manager.zeros(one)))) {
                quantizer.compress();
                // A single weight is its own maximum, which every grid holds exactly but for
                // rounding.
                float bias = Networks.evaluate(model, new float[] {0}, one)[0];
                float sum = Networks.evaluate(model, new float[] {1}, one)[0];
                assertThat(bias).isCloseTo(foldedBias, within(1e-7f));
                assertThat(sum - bias).isCloseTo(1.49999821f, within(2.4e-7f));
                TensorCalibration weight =
                        quantizer
                                .calibration()
                                .layers()
                                .get(0)
                                .tensor(QuantType.WEIGHT, "weight")
                                .orElseThrow();
                assertThat(weight.parameters().scale()[0] * 127)
                        .isCloseTo(1.49999821f, within(2.4e-7f));
            }
        }
    }

    /**
     * W [[1, 2], [3, 4]], b [.5, -.5], γ [2, .5], β [.1, -.1], μ [1, -1], σ² [4, .25], ε 1e-5, by
     * Distiller.
     */
    @Test
    void evaluate_linearLayer_isDistillersFold() {
        SequentialBlock network =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(2).build())
                        .add(BatchNorm.builder().build());
        Shape two = new Shape(1, 2);
        Model model = Model.newInstance("formula");
        network.initialize(model.getNDManager(), DataType.FLOAT32, two);
        model.setBlock(network);
        try (model;
                NDManager manager = model.getNDManager().newSubManager()) {
            set(model, "01Linear_weight", 1, 2, 3, 4);
            set(model, "01Linear_bias", 0.5f, -0.5f);
            set(model, "02BatchNorm_gamma", 2, 0.5f);
            set(model, "02BatchNorm_beta", 0.1f, -0.1f);
            set(model, "02BatchNorm_runningMean", 1, -1);
            set(model, "02BatchNorm_runningVar", 4, 0.25f);
            Map<String, Object> wide =
                    Map.of(
                            "quant_types", List.of("weight"),
                            "quant_bits", 16,
                            "op_types", List.of("Linear"));
            try (QATQuantizer quantizer =
                    new QATQuantizer(
                            model,
                            ConfigList.fromMaps(List.of(wide)),
                            Networks.sgd(0.1f),
                            new NDList(manager.zeros(two)))) {
                quantizer.compress();
                float[] bias = Networks.evaluate(model, new float[] {0, 0}, two);
                float[] first = Networks.evaluate(model, new float[] {1, 0}, two);
                float[] second = Networks.evaluate(model, new float[] {0, 1}, two);
                assertThat(bias)
                        .containsExactly(new float[] {-0.3999994f, 0.39999f}, within(1e-6f));
                // half a step of 4 / 32767
                Offset<Float> step = within(6.2e-5f);
                assertThat(first[0] - bias[0]).isCloseTo(0.9999988f, step);
                assertThat(second[0] - bias[0]).isCloseTo(1.9999976f, step);
                assertThat(first[1] - bias[1]).isCloseTo(2.9999399f, step);
                assertThat(second[1] - bias[1]).isCloseTo(3.9999199f, step);
            }
        }
    }

    private static void set(Model model, String parameter, float... values) {
        Networks.set(model.getBlock().getParameters().get(parameter), values);
    }

    @Test
    void exportModel_folded_restoresTheNetworkAndNamesTheFold(@TempDir Path folder)
            throws IOException {
        try (Model model = model(plain(), 9);
                NDManager manager = model.getNDManager().newSubManager();
                QATQuantizer quantizer =
                        new QATQuantizer(model, weights(), Networks.sgd(0.1f), dummy(manager))) {
            List<Block> blocks = model.getBlock().getChildren().values();
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                for (int i = 0; i < 3; i++) {
                    Networks.step(trainer, INPUT, 3, i);
                }
            }
            Map<String, float[]> trained = Networks.values(model.getBlock());
            CalibrationConfig calibration =
                    quantizer.exportModel(
                            folder.resolve("net"), folder.resolve("calibration.json"));
            assertThat(model.getBlock().getChildren().values()).isEqualTo(blocks);
            assertThat(calibration.layers().get(0).foldedBatchNorm()).isEqualTo("02BatchNorm");
            assertThat(
                            CalibrationConfig.read(folder.resolve("calibration.json"))
                                    .layers()
                                    .get(0)
                                    .foldedBatchNorm())
                    .isEqualTo("02BatchNorm");
            try (Model loaded = Model.newInstance("net")) {
                loaded.setBlock(plain());
                loaded.load(folder, "net");
                Networks.values(loaded.getBlock())
                        .forEach(
                                (name, values) ->
                                        assertThat(values).as(name).isEqualTo(trained.get(name)));
            } catch (ai.djl.MalformedModelException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void marks_ofThePlan_standInTheDrawnGraph() {
        try (Model model = model(plain(), 10);
                NDManager manager = model.getNDManager().newSubManager();
                QATQuantizer quantizer =
                        new QATQuantizer(model, weights(), Networks.sgd(0.1f), dummy(manager))) {
            Graph graph = quantizer.graph().orElseThrow();
            Map<String, String> marks = quantizer.plan().marks(graph);
            assertThat(marks)
                    .containsEntry("01Conv2d.Conv1", "weight int8")
                    .containsEntry("02BatchNorm.BatchNorm1", "folded into 01Conv2d");
            assertThat(graph.toDot(marks)).contains("weight int8").contains("folded into");
            assertThat(graph.toMermaid(marks)).contains("weight int8").contains("folded into");
        }
    }
}
