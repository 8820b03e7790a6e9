package org.nni4j.algorithms.qat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.Networks;
import org.nni4j.block.Concat;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.placement.PlannedLayer;

/** A residual add in a lambda is a quantization point like a layer. */
class QatOperatorTest {

    private static final Shape INPUT = new Shape(4, 3);
    private static final String ADD = "01ParallelBlock.Add1";

    private static Model residual() {
        Engine.getInstance().setRandomSeed(3);
        Model model = Model.newInstance("residual");
        SequentialBlock block =
                new SequentialBlock()
                        .add(
                                new ParallelBlock(
                                        lists ->
                                                new NDList(
                                                        lists.get(0)
                                                                .head()
                                                                .add(lists.get(1).head())),
                                        List.of(
                                                Linear.builder().setUnits(3).build(),
                                                Blocks.identityBlock())));
        block.initialize(model.getNDManager(), DataType.FLOAT32, INPUT);
        model.setBlock(block);
        return model;
    }

    private static ConfigList config(Map<String, Object> more) {
        Map<String, Object> entry = new java.util.LinkedHashMap<>(more);
        entry.putIfAbsent("op_types", List.of("Add"));
        entry.putIfAbsent("quant_types", List.of("input", "output"));
        entry.put("quant_bits", 8);
        return ConfigList.fromMaps(List.of(entry));
    }

    private static QATQuantizer quantizer(Model model, Map<String, Object> more) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            return new QATQuantizer(
                    model, config(more), Networks.sgd(0.1f), new NDList(manager.zeros(INPUT)));
        }
    }

    private static float[] data() {
        return new float[] {1, -2, 0.5f, 3, 0.25f, -1, 2, 2, 2, -0.5f, 0.75f, 4};
    }

    @Test
    void plan_byType_listsTheOperatorUnderItsTracedName() {
        try (Model model = residual();
                QATQuantizer quantizer = quantizer(model, Map.of())) {
            assertThat(quantizer.plan().quantizedLayers())
                    .extracting(PlannedLayer::path, PlannedLayer::type, PlannedLayer::operator)
                    .containsExactly(org.assertj.core.groups.Tuple.tuple(ADD, "Add", true));
        }
    }

    @Test
    void plan_byName_isTheSamePlan() {
        try (Model model = residual();
                QATQuantizer byName =
                        quantizer(
                                model,
                                Map.of("op_types", List.of("Add"), "op_names", List.of(ADD)))) {
            assertThat(byName.plan().quantizedLayers()).hasSize(1);
        }
    }

    @Test
    void plan_withoutDummyInput_saysThatOperatorsAreNotKnown() {
        try (Model model = residual()) {
            assertThatThrownBy(() -> new QATQuantizer(model, config(Map.of()), Networks.sgd(0.1f)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("\"Add\"");
        }
    }

    @Test
    void plan_weightOfAnOperator_isRefused() {
        try (Model model = residual()) {
            assertThatThrownBy(() -> quantizer(model, Map.of("quant_types", List.of("weight"))))
                    .hasMessageContaining("operator \"" + ADD + "\" (Add) has no weight");
        }
    }

    @Test
    void plan_sharedScalePerChannel_isRefused() {
        try (Model model = residual()) {
            assertThatThrownBy(
                            () ->
                                    quantizer(
                                            model,
                                            Map.of(
                                                    "share_scale",
                                                    true,
                                                    "quant_scheme",
                                                    "per_channel_affine")))
                    .hasMessageContaining("config[0].share_scale");
        }
    }

    @Test
    void train_ownScales_quantizesEachInputAndTheOutputByItsRange() {
        try (Model model = residual();
                QATQuantizer quantizer = quantizer(model, Map.of())) {
            float[] plain = Networks.evaluate(model, data(), INPUT);
            quantizer.compress();
            float[] upstream = new float[12];
            java.util.Arrays.fill(upstream, 1);
            Networks.Pass pass = Networks.train(model, data(), INPUT, upstream);
            CalibratedLayer add = quantizer.calibration().layers().get(0);
            TensorCalibration skip = add.tensor(QuantType.INPUT, "1").orElseThrow();
            assertThat(skip.min()).containsExactly(-2f);
            assertThat(skip.max()).containsExactly(4f);
            TensorCalibration out = add.tensor(QuantType.OUTPUT, "0").orElseThrow();
            float scale = out.parameters().scale()[0];
            // Three roundings: half a step of each input and of the output.
            float bound =
                    (scale
                                    + skip.parameters().scale()[0]
                                    + add.tensor(QuantType.INPUT, "0")
                                            .orElseThrow()
                                            .parameters()
                                            .scale()[0])
                            / 2;
            assertThat(pass.output()).containsExactly(plain, within(bound + 1e-6f));
            assertThat(pass.output()).isNotEqualTo(plain);
            // The skip path hands each gradient on beside the linear layer's.
            assertThat(pass.gradients().get("01ParallelBlock_01Linear_bias"))
                    .containsExactly(4, 4, 4);
        }
    }

    private static Map<String, Object> sharedInputs(String operator) {
        return Map.of(
                "op_types",
                List.of(operator),
                "share_scale",
                true,
                "quant_types",
                List.of("input"));
    }

    @Test
    void train_sharedScale_hasOneRangeOverBothInputs() {
        try (Model model = residual();
                QATQuantizer quantizer =
                        quantizer(
                                model,
                                Map.of("share_scale", true, "quant_types", List.of("input")))) {
            quantizer.compress();
            Networks.train(model, data(), INPUT, new float[12]);
            CalibratedLayer add = quantizer.calibration().layers().get(0);
            assertThat(add.tensors()).hasSize(1);
            TensorCalibration shared = add.tensor(QuantType.INPUT, "0").orElseThrow();
            assertThat(requireNonNull(shared.min())[0]).isLessThanOrEqualTo(-2);
            assertThat(requireNonNull(shared.max())[0]).isGreaterThanOrEqualTo(4);
            float[] first = Networks.evaluate(model, data(), INPUT);
            assertThat(Networks.evaluate(model, data(), INPUT)).isEqualTo(first);
        }
    }

    @Test
    void concat_sharedScale_keepsShapesAndValues() {
        Engine.getInstance().setRandomSeed(4);
        try (Model model = Model.newInstance("concat")) {
            SequentialBlock block =
                    new SequentialBlock()
                            .add(
                                    new ParallelBlock(
                                            lists ->
                                                    new NDList(
                                                            NDArrays.concat(
                                                                    new NDList(
                                                                            lists.get(0).head(),
                                                                            lists.get(1).head()),
                                                                    1)),
                                            List.of(
                                                    Linear.builder().setUnits(2).build(),
                                                    Blocks.identityBlock())));
            block.initialize(model.getNDManager(), DataType.FLOAT32, INPUT);
            model.setBlock(block);
            float[] plain = Networks.evaluate(model, data(), INPUT);
            try (QATQuantizer quantizer = quantizer(model, sharedInputs("Concat"))) {
                quantizer.compress();
                Networks.Pass pass = Networks.train(model, data(), INPUT, new float[plain.length]);
                float scale =
                        quantizer
                                .calibration()
                                .layers()
                                .get(0)
                                .tensor(QuantType.INPUT, "0")
                                .orElseThrow()
                                .parameters()
                                .scale()[0];
                assertThat(pass.output()).containsExactly(plain, within(scale / 2 + 1e-6f));
            }
        }
    }

    /** The condition of where(condition, x, -x) is a boolean array, and no range includes it. */
    @Test
    void where_sharedScale_leavesTheConditionAlone() {
        Engine.getInstance().setRandomSeed(5);
        try (Model model = Model.newInstance("where")) {
            Block block =
                    new SequentialBlock()
                            .add(
                                    new LambdaBlock(
                                            list -> {
                                                NDArray x = list.head();
                                                return new NDList(
                                                        NDArrays.where(x.gt(0), x, x.mul(-0.5f)));
                                            }))
                            .add(Linear.builder().setUnits(2).build());
            block.initialize(model.getNDManager(), DataType.FLOAT32, INPUT);
            model.setBlock(block);
            try (QATQuantizer quantizer = quantizer(model, sharedInputs("Where"))) {
                quantizer.compress();
                Networks.train(model, data(), INPUT, new float[8]);
                CalibratedLayer where = quantizer.calibration().layers().get(0);
                assertThat(where.tensors()).hasSize(1);
                TensorCalibration shared = where.tensors().get(0).calibration();
                // Over x, -2..4, and -x / 2, -2..1.
                assertThat(shared.min()).containsExactly(-2f);
                assertThat(shared.max()).containsExactly(4f);
            }
        }
    }

    @Test
    void concatLayer_sharedScale_hasOneRangeOverBothInputs() {
        Engine.getInstance().setRandomSeed(6);
        try (Model model = Model.newInstance("concat layer")) {
            Block block =
                    new SequentialBlock()
                            .add(
                                    new ParallelBlock(
                                            lists ->
                                                    new NDList(
                                                            lists.get(0).head(),
                                                            lists.get(1).head()),
                                            List.of(
                                                    new LambdaBlock(
                                                            list -> new NDList(list.head().mul(2))),
                                                    Blocks.identityBlock())))
                            .add(new Concat())
                            .add(Linear.builder().setUnits(2).build());
            block.initialize(model.getNDManager(), DataType.FLOAT32, INPUT);
            model.setBlock(block);
            try (QATQuantizer quantizer = quantizer(model, sharedInputs("Concat"))) {
                quantizer.compress();
                Networks.train(model, data(), INPUT, new float[8]);
                CalibratedLayer concat = quantizer.calibration().layers().get(0);
                assertThat(concat.tensors()).hasSize(1);
                TensorCalibration shared = concat.tensor(QuantType.INPUT, "0").orElseThrow();
                // Over x, -2..4, and 2 x, -4..8.
                assertThat(shared.min()).containsExactly(-4f);
                assertThat(shared.max()).containsExactly(8f);
            }
        }
    }

    @Test
    void plan_sharedScaleOfALayerWithAWeight_isRefused() {
        try (Model model = residual()) {
            assertThatThrownBy(
                            () ->
                                    quantizer(
                                            model,
                                            Map.of(
                                                    "op_types",
                                                    List.of("Linear"),
                                                    "share_scale",
                                                    true)))
                    .hasMessageContaining(
                            "config[0].share_scale: layer \"01ParallelBlock.01Linear\" (Linear) has"
                                    + " no inputs that could share a scale; expected an operator or"
                                    + " a layer without weights");
        }
    }

    @Test
    void plan_sharedScaleOfOutputsOnly_isRefused() {
        try (Model model = residual()) {
            assertThatThrownBy(
                            () ->
                                    quantizer(
                                            model,
                                            Map.of(
                                                    "share_scale",
                                                    true,
                                                    "quant_types",
                                                    List.of("output"))))
                    .hasMessageContaining(
                            "config[0].share_scale: has an effect on inputs only; quant_types are"
                                    + " [output], expected input among them");
        }
    }

    @Test
    void exportModel_operators_restoresAndGoesOn(@TempDir Path folder) throws IOException {
        try (Model model = residual();
                QATQuantizer quantizer = quantizer(model, Map.of())) {
            float[] plain = Networks.evaluate(model, data(), INPUT);
            quantizer.compress();
            Networks.train(model, data(), INPUT, new float[12]);
            float[] quantized = Networks.evaluate(model, data(), INPUT);
            CalibrationConfig calibration =
                    quantizer.exportModel(folder.resolve("net"), folder.resolve("c.json"));
            assertThat(calibration.layers().get(0).path()).isEqualTo(ADD);
            assertThat(Networks.evaluate(model, data(), INPUT)).isEqualTo(plain);
            quantizer.compress();
            assertThat(Networks.evaluate(model, data(), INPUT)).isEqualTo(quantized);
        }
    }
}
