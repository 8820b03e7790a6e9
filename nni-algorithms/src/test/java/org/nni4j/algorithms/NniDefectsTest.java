package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.Networks.Pass;
import org.nni4j.algorithms.naive.NaiveQuantizer;
import org.nni4j.algorithms.qat.QATQuantizer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.ConfigException;
import org.nni4j.placement.PlannedLayer;

/**
 * The defects of NNI 2.10.1 that concern config lists, QAT, Naive, export and the optimizer, each
 * by what we do instead. Those of BatchNorm folding and of other algorithms are tested beside
 * these.
 */
class NniDefectsTest {

    private static final int SEED = 17;
    private static final float[] X = Networks.random(Networks.SMALL, SEED);

    private static Map<String, Object> entry(List<String> types, String... opTypes) {
        return Map.of(
                "quant_types", types, "quant_bits", 8, "op_types", List.of((Object[]) opTypes));
    }

    private static final List<Map<String, Object>> WEIGHT_AND_INPUT =
            List.of(entry(List.of("weight", "input"), "Conv2d", "Linear"));

    private static QATQuantizer qat(Model model, List<Map<String, Object>> config) {
        return new QATQuantizer(model, config, Networks.sgd(0.1f));
    }

    /** NNI masks by x/0 before the start step, so that no gradient arrives. */
    @Test
    void defect2_gradientBeforeTheStartStep_isThatOfTheFloatNetwork() {
        float[][] w = {{0.5f, -0.25f}};
        float[] x = {1, 3};
        Map<String, Object> late =
                Map.of(
                        "quant_types",
                        List.of("weight", "input", "output"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("Linear"),
                        "quant_start_step",
                        10);
        try (Model model = Networks.linear(w);
                QATQuantizer quantizer = qat(model, List.of(late))) {
            quantizer.compress();
            Pass pass = Networks.train(model, x, new Shape(1, 2), new float[] {2});
            assertThat(pass.output()).containsExactly(-0.25f);
            assertThat(pass.gradients().get("01Linear_weight")).containsExactly(2, 6);
            assertThat(pass.inputGradient()).containsExactly(1, -0.5f);
        }
    }

    /** NNI asserts that it knows shapes, which only a dummy input tells. */
    @Test
    void defect5_noDummyInput_isFine() {
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, WEIGHT_AND_INPUT)) {
            assertThatCode(quantizer::compress).doesNotThrowAnyException();
        }
    }

    /** NNI loads ranges only, and the first training forward overwrites them. */
    @Test
    void defect6_loadedCalibration_isUsedAndTrainedOn() {
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, WEIGHT_AND_INPUT);
                Model other = Networks.smallModel(SEED);
                QATQuantizer fresh = qat(other, WEIGHT_AND_INPUT)) {
            quantizer.compress();
            Networks.train(model, X, Networks.SMALL, new float[12]);
            fresh.compress();
            fresh.loadCalibration(CalibrationConfig.fromJson(quantizer.calibration().toJson()));
            assertThat(fresh.calibration()).isEqualTo(quantizer.calibration());
            assertThat(Networks.evaluate(other, X, Networks.SMALL))
                    .containsExactly(Networks.evaluate(model, X, Networks.SMALL));
            float[] wider = Networks.random(Networks.SMALL, SEED + 1);
            for (int i = 0; i < wider.length; i++) {
                wider[i] *= 3;
            }
            Networks.train(model, wider, Networks.SMALL, new float[12]);
            Networks.train(other, wider, Networks.SMALL, new float[12]);
            assertThat(fresh.calibration()).isEqualTo(quantizer.calibration());
        }
    }

    /** NNI's scale is 0 then: weights become 0 and activations NaN. */
    @Test
    void defect7_evaluationBeforeTraining_isFinite() {
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, WEIGHT_AND_INPUT)) {
            float[] before = Networks.evaluate(model, X, Networks.SMALL);
            quantizer.compress();
            float[] y = Networks.evaluate(model, X, Networks.SMALL);
            for (int i = 0; i < y.length; i++) {
                // Weights are quantized to 8 bits at once, inputs only once a range is known.
                assertThat(y[i]).isCloseTo(before[i], within(0.1f));
            }
        }
    }

    /** NNI divides by a scale of 0 and puts out NaN. */
    @ParameterizedTest
    @CsvSource({
        "int, per_tensor_affine", "uint, per_tensor_affine", "int, per_tensor_symmetric",
        "uint, per_tensor_symmetric", "int, per_channel_affine", "uint, per_channel_affine",
        "int, per_channel_symmetric", "uint, per_channel_symmetric"
    })
    void defect7_allZeroTensors_giveNoNaN(String dtype, String scheme) {
        Map<String, Object> all =
                Map.of(
                        "quant_types",
                        List.of("weight", "input", "output"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("Linear"),
                        "quant_dtype",
                        dtype,
                        "quant_scheme",
                        scheme);
        try (Model model = Networks.linear(new float[2][3]);
                QATQuantizer quantizer = qat(model, List.of(all))) {
            quantizer.compress();
            Pass pass =
                    Networks.train(model, new float[6], new Shape(2, 3), new float[] {1, 1, 1, 1});
            assertThat(pass.output()).containsOnly(0);
            assertThat(pass.inputGradient()).containsOnly(0);
            assertThat(Networks.evaluate(model, new float[6], new Shape(2, 3))).containsOnly(0);
        }
    }

    /** NNI turns a vector of ranges into one float. */
    @Test
    void defect8_perChannelInputAndOutput_areExported(@TempDir Path folder) throws IOException {
        Map<String, Object> perChannel =
                Map.of(
                        "quant_types",
                        List.of("weight", "input", "output"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("Conv2d", "Linear"),
                        "quant_scheme",
                        "per_channel_affine");
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, List.of(perChannel))) {
            quantizer.compress();
            Networks.train(model, X, Networks.SMALL, new float[12]);
            Path file = folder.resolve("c.json");
            CalibrationConfig written = quantizer.exportModel(folder.resolve("m"), file);
            assertThat(CalibrationConfig.read(file)).isEqualTo(written);
            assertThat(written.layers().get(0).tensors()).hasSize(3);
        }
    }

    @Test
    void defect8_exportTwice_writesTheSame(@TempDir Path folder) throws IOException {
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, WEIGHT_AND_INPUT)) {
            quantizer.compress();
            Networks.train(model, X, Networks.SMALL, new float[12]);
            Path file = folder.resolve("c.json");
            CalibrationConfig first = quantizer.exportModel(folder.resolve("m"), file);
            assertThat(quantizer.exportModel(folder.resolve("m"), file)).isEqualTo(first);
        }
    }

    /** NNI's state dict holds the step counter, which the clean model refuses. */
    @Test
    void defect9_exportedModel_loadsIntoTheCleanNetwork(@TempDir Path folder)
            throws IOException, MalformedModelException {
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, WEIGHT_AND_INPUT);
                Model clean = Model.newInstance("m")) {
            quantizer.compress();
            quantizer.exportModel(folder.resolve("m"), folder.resolve("c.json"));
            clean.setBlock(Networks.small());
            clean.load(folder, "m");
            assertThat(Networks.evaluate(clean, X, Networks.SMALL))
                    .containsExactly(Networks.evaluate(model, X, Networks.SMALL));
        }
    }

    /** NNI looks only whether the key is there. */
    @Test
    void defect10_excludeFalse_doesNotExclude() {
        Map<String, Object> entry =
                Map.of(
                        "quant_types",
                        List.of("weight"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("Linear"),
                        "exclude",
                        false);
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, List.of(entry))) {
            assertThat(quantizer.plan().quantizedLayers())
                    .extracting(PlannedLayer::path)
                    .containsExactly("04Linear");
        }
    }

    /** NNI warns, and crashes later where there is an optimizer. */
    @Test
    void defect14_weightOfALayerWithoutWeight_isRefusedBeforeAnythingChanges() {
        try (Model model = Networks.smallModel(SEED)) {
            Block block = model.getBlock();
            assertThatThrownBy(
                            () -> qat(model, List.of(entry(List.of("weight"), "ReLU", "Linear"))))
                    .isInstanceOf(ConfigException.class)
                    .hasMessage(
                            "config[0].quant_types: layer \"02LambdaBlock\" (ReLU) has no weight;"
                                + " leave \"weight\" out or give layers of this type an entry of"
                                + " their own");
            assertThat(model.getBlock()).isSameAs(block);
        }
    }

    /** A plain sum's gradient is one broadcast number; NNI writes its mask into it. */
    @Test
    void defect16_broadcastGradient_isMaskedOnlyOutsideTheRange() {
        float[][] eye = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
        Map<String, Object> input =
                Map.of(
                        "quant_types", List.of("input"),
                        "quant_bits", 8,
                        "op_types", List.of("Linear"));
        try (Model model = Networks.linear(eye);
                QATQuantizer quantizer = qat(model, List.of(input))) {
            quantizer.compress();
            Shape shape = new Shape(1, 3);
            Networks.train(model, new float[] {-1, 0, 1}, shape, new float[] {1, 1, 1});
            float[] gradient = Networks.summedGradient(model, new float[] {-50, 0.5f, 50}, shape);
            assertThat(gradient).containsExactly(0, 1, 0);
        }
    }

    /** NNI's int1 is 0..0, which divides by zero. */
    @Test
    void defect18_oneBit_isRefused() {
        for (String dtype : List.of("int", "uint")) {
            Map<String, Object> entry =
                    Map.of(
                            "quant_types",
                            List.of("weight"),
                            "quant_bits",
                            1,
                            "op_types",
                            List.of("Linear"),
                            "quant_dtype",
                            dtype);
            try (Model model = Networks.smallModel(SEED)) {
                assertThatThrownBy(() -> qat(model, List.of(entry)))
                        .isInstanceOf(ConfigException.class)
                        .hasMessage(
                                "config[0].quant_bits.weight: 1 bits is not supported by algorithm"
                                        + " \"qat\"; expected 2..16");
            }
        }
    }

    /** NNI warns that it skips these, and fails in forward. */
    @Test
    void defect19_perChannelInputOfRankThree_hasOneScalePerFeature() {
        Map<String, Object> entry =
                Map.of(
                        "quant_types",
                        List.of("input"),
                        "quant_bits",
                        8,
                        "op_types",
                        List.of("Linear"),
                        "quant_scheme",
                        "per_channel_symmetric");
        try (Model model = Networks.linear(new float[][] {{1, 1}});
                QATQuantizer quantizer = qat(model, List.of(entry))) {
            quantizer.compress();
            float[] x = {1, 10, -2, 20, 3, -30};
            Networks.train(model, x, new Shape(1, 3, 2), new float[3]);
            assertThat(quantizer.calibration().layers().get(0).tensors().get(0).calibration().max())
                    .containsExactly(3, 20);
        }
    }

    /** NNI wraps the first name only; through the second one the raw module runs. */
    @Test
    void defect20_layerUnderTwoNames_isQuantizedInBothPlaces() {
        Linear shared = Linear.builder().setUnits(2).optBias(false).build();
        SequentialBlock block =
                new SequentialBlock().add(shared).add(Activation.reluBlock()).add(shared);
        try (Model model = Model.newInstance("shared")) {
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 2));
            Networks.set(shared.getParameters().get("weight"), 1, 0.3f, 0.3f, 1);
            model.setBlock(block);
            Map<String, Object> coarse =
                    Map.of(
                            "quant_types", List.of("weight"),
                            "quant_bits", 2,
                            "op_types", List.of("Linear"));
            try (QATQuantizer quantizer = qat(model, List.of(coarse))) {
                quantizer.compress();
                assertThat(quantizer.plan().quantizedLayers()).hasSize(1);
                assertThat(quantizer.plan().notes())
                        .contains(
                                "layer \"01Linear\" is also used as [03Linear]; it is quantized"
                                        + " once, under its first name");
                // To two bits the weight is the identity, in both places.
                assertThat(Networks.evaluate(model, new float[] {1, 2}, new Shape(1, 2)))
                        .containsExactly(1, 2);
            }
        }
    }

    /**
     * NNI saves the quantized weight under the weight's name, and it overwrites the master when
     * loaded.
     */
    @Test
    void defect21_checkpointOfAQuantizedModel_keepsTheMasterWeights(@TempDir Path folder)
            throws IOException, MalformedModelException {
        try (Model model = Networks.smallModel(SEED);
                QATQuantizer quantizer = qat(model, WEIGHT_AND_INPUT);
                Model other = Networks.smallModel(SEED + 1);
                QATQuantizer fresh = qat(other, WEIGHT_AND_INPUT)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                Networks.step(trainer, Networks.SMALL, 3, 1);
            }
            model.save(folder, "checkpoint");
            fresh.compress();
            other.load(folder, "checkpoint");
            Map<String, float[]> masters = Networks.values(model.getBlock());
            Networks.values(other.getBlock())
                    .forEach(
                            (name, values) ->
                                    assertThat(values).containsExactly(masters.get(name)));
            Networks.evaluate(other, X, Networks.SMALL);
            Networks.values(other.getBlock())
                    .forEach(
                            (name, values) ->
                                    assertThat(values).containsExactly(masters.get(name)));
        }
    }

    @Test
    void exportModel_naiveAndQat_keepFloatWeights(@TempDir Path folder) throws IOException {
        try (Model model = Networks.smallModel(SEED);
                NaiveQuantizer quantizer =
                        new NaiveQuantizer(
                                model, List.of(entry(List.of("weight"), "Conv2d", "Linear")))) {
            Map<String, float[]> before = Networks.values(model.getBlock());
            quantizer.compress();
            Networks.evaluate(model, X, Networks.SMALL);
            quantizer.exportModel(folder.resolve("m"), folder.resolve("c.json"));
            Networks.values(model.getBlock())
                    .forEach((name, v) -> assertThat(Arrays.equals(v, before.get(name))).isTrue());
        }
    }
}
