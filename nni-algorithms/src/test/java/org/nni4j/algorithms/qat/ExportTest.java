package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.ConfigException;

/** What comes out of a trained quantizer, and what is left behind. */
class ExportTest {

    private static final int SEED = 23;
    private static final float[] X = Networks.random(Networks.SMALL, SEED);
    private static final List<Map<String, Object>> ALL =
            List.of(
                    Map.of(
                            "quant_types",
                            List.of("weight", "input", "output"),
                            "quant_bits",
                            8,
                            "op_types",
                            List.of("Conv2d", "Linear"),
                            "quant_start_step",
                            2));

    private final Model model = Networks.smallModel(SEED);
    private final Block block = model.getBlock();
    private final List<Block> children = List.copyOf(block.getChildren().values());
    private final List<Parameter> parameters = block.getParameters().values();
    private final QATQuantizer quantizer = new QATQuantizer(model, ALL, Networks.sgd(0.1f));

    @TempDir private Path folder;

    @BeforeEach
    void trainThreeSteps() {
        quantizer.compress();
        train(model, quantizer, 1, 3);
    }

    @AfterEach
    void close() {
        quantizer.close();
        model.close();
    }

    private static void train(Model model, QATQuantizer quantizer, int from, int to) {
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
            for (int seed = from; seed <= to; seed++) {
                Networks.step(trainer, Networks.SMALL, 3, seed);
            }
        }
    }

    private CalibrationConfig export() throws IOException {
        return quantizer.exportModel(folder.resolve("out/net"), folder.resolve("out/net.json"));
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> !f.equals(folder))
                    .map(f -> folder.relativize(f).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void exportModel_trainedModel_restoresTheSameObjectsAndWeights() throws IOException {
        Map<String, float[]> masters = Networks.values(model.getBlock());
        assertThat(block.getChildren().values()).isNotEqualTo(children);
        export();
        assertThat(model.getBlock()).isSameAs(block);
        assertThat(block.getChildren().values()).containsExactlyElementsOf(children);
        assertThat(block.getParameters().values()).containsExactlyElementsOf(parameters);
        assertThat(block.getParameters().keys()).containsExactlyElementsOf(masters.keySet());
        Networks.values(block)
                .forEach((name, values) -> assertThat(values).containsExactly(masters.get(name)));
    }

    @Test
    void exportModel_files_loadIntoAPlainNetwork() throws IOException, MalformedModelException {
        model.setProperty("classes", "3");
        export();
        assertThat(files(folder)).containsExactly("out", "out/net-0000.params", "out/net.json");
        try (Model plain = Model.newInstance("net")) {
            plain.setBlock(Networks.small());
            plain.load(folder.resolve("out"), "net");
            assertThat(plain.getProperty("classes")).isEqualTo("3");
            assertThat(Networks.evaluate(plain, X, Networks.SMALL))
                    .containsExactly(Networks.evaluate(model, X, Networks.SMALL));
        }
    }

    @Test
    void exportModel_json_hasNnisKeysAndEverythingToRunBy() throws IOException {
        CalibrationConfig written = export();
        String json = Files.readString(folder.resolve("out/net.json"));
        assertThat(json)
                .startsWith(
                        "{\n  \"format_version\": 1,\n  \"algorithm\": \"qat\",\n  \"step\": 4,\n")
                .contains("\"weight_bits\": 8", "\"weight_dtype\": \"int\"")
                .contains("\"weight_scheme\": \"per_channel_symmetric\"", "\"weight_scale\": [")
                .contains("\"weight_zero_point\": [", "\"tracked_min_input\": [")
                .contains("\"tracked_max_input\": [", "\"tracked_min_output\": [")
                .contains("\"input_bits\": 8", "\"output_bits\": 8");
        assertThat(CalibrationConfig.fromJson(json)).isEqualTo(written);
    }

    /** Weights change after the last forward; what is exported describes what is exported. */
    @Test
    void exportModel_weightCalibration_isOfTheWeightsWritten() throws IOException {
        float[] max =
                Objects.requireNonNull(
                        export().layers().get(1).tensors().get(0).calibration().max());
        float[] weight = block.getParameters().get("04Linear_weight").getArray().toFloatArray();
        int columns = weight.length / max.length;
        for (int row = 0; row < max.length; row++) {
            float largest = weight[row * columns];
            for (int i = 0; i < columns; i++) {
                largest = Math.max(largest, weight[row * columns + i]);
            }
            assertThat(max[row]).isEqualTo(largest);
        }
    }

    @Test
    void exportModel_twice_isCallableAndWritesTheSame() throws IOException {
        CalibrationConfig first = export();
        byte[] bytes = Files.readAllBytes(folder.resolve("out/net-0000.params"));
        assertThat(export()).isEqualTo(first);
        assertThat(Files.readAllBytes(folder.resolve("out/net-0000.params"))).isEqualTo(bytes);
        assertThat(files(folder)).containsExactly("out", "out/net-0000.params", "out/net.json");
    }

    @Test
    void compress_afterExport_trainsOnAsIfNothingHadBeen() throws IOException {
        try (Model other = Networks.smallModel(SEED);
                QATQuantizer undisturbed = new QATQuantizer(other, ALL, Networks.sgd(0.1f))) {
            undisturbed.compress();
            train(other, undisturbed, 1, 3);
            train(other, undisturbed, 4, 6);

            export();
            quantizer.compress();
            train(model, quantizer, 4, 6);
            assertThat(quantizer.step()).isEqualTo(7);
            assertThat(quantizer.calibration()).isEqualTo(undisturbed.calibration());
            Map<String, float[]> expected = Networks.values(other.getBlock());
            Networks.values(model.getBlock())
                    .forEach((name, v) -> assertThat(v).containsExactly(expected.get(name)));
        }
    }

    @Test
    void loadCalibration_freshModelAndQuantizer_givesBitIdenticalOutputs()
            throws IOException, MalformedModelException {
        float[] quantized = Networks.evaluate(model, X, Networks.SMALL);
        export();
        assertThat(Networks.evaluate(model, X, Networks.SMALL)).isNotEqualTo(quantized);
        try (Model fresh = Model.newInstance("net")) {
            fresh.setBlock(Networks.small());
            fresh.load(folder.resolve("out"), "net");
            try (QATQuantizer loaded = new QATQuantizer(fresh, ALL, Networks.sgd(0.1f))) {
                loaded.compress();
                loaded.loadCalibration(CalibrationConfig.read(folder.resolve("out/net.json")));
                assertThat(Networks.evaluate(fresh, X, Networks.SMALL)).containsExactly(quantized);
                assertThat(loaded.step()).isEqualTo(4);
                train(fresh, loaded, 4, 6);
            }
            quantizer.compress();
            train(model, quantizer, 4, 6);
            Map<String, float[]> expected = Networks.values(model.getBlock());
            Networks.values(fresh.getBlock())
                    .forEach((name, v) -> assertThat(v).containsExactly(expected.get(name)));
        }
    }

    @Test
    void loadCalibration_differences_areRefusedAllTogether() {
        CalibrationConfig calibration = quantizer.calibration();
        List<Map<String, Object>> otherwise =
                List.of(
                        Map.of(
                                "quant_types", List.of("weight", "output"),
                                "quant_bits", Map.of("weight", 4, "output", 8),
                                "op_names", List.of("01Conv2d")),
                        Map.of(
                                "quant_types", List.of("output"),
                                "quant_bits", 8,
                                "op_types", List.of("ReLU")));
        try (Model other = Networks.smallModel(SEED);
                QATQuantizer different = new QATQuantizer(other, otherwise, Networks.sgd(0.1f))) {
            different.compress();
            assertThatThrownBy(() -> different.loadCalibration(calibration))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("4 problems")
                    .hasMessageContaining(
                            "layers[\"01Conv2d\"].weight[\"weight\"]: int8 per_channel_symmetric"
                                    + " does not fit; expected int4 per_channel_symmetric")
                    .hasMessageContaining(
                            "layers[\"01Conv2d\"].input[\"0\"]: is not quantized in this network")
                    .hasMessageContaining(
                            "layers[\"04Linear\"]: this network quantizes no layer of that name")
                    .hasMessageContaining("layers[\"02LambdaBlock\"]: is missing");
            assertThat(different.step()).isEqualTo(1);
            assertThat(different.calibration().layers().get(0).unobserved()).isNotEmpty();
        }
    }

    @Test
    void loadCalibration_weightOfAnotherShape_isRefused() {
        CalibrationConfig calibration = quantizer.calibration();
        try (Model other = Model.newInstance("wider")) {
            SequentialBlock wider =
                    new SequentialBlock()
                            .add(
                                    Conv2d.builder()
                                            .setKernelShape(new Shape(3, 3))
                                            .setFilters(5)
                                            .build())
                            .add(Activation.reluBlock())
                            .add(Blocks.batchFlattenBlock())
                            .add(Linear.builder().setUnits(3).build());
            other.setBlock(wider);
            wider.initialize(other.getNDManager(), DataType.FLOAT32, Networks.SMALL);
            try (QATQuantizer different = new QATQuantizer(other, ALL, Networks.sgd(0.1f))) {
                different.compress();
                assertThatThrownBy(() -> different.loadCalibration(calibration))
                        .isInstanceOf(ConfigException.class)
                        .hasMessage(
                                "calibration: layers[\"01Conv2d\"].weight[\"weight\"]: 2 scales"
                                        + " along axis 0 do not fit shape (5, 1, 3, 3); expected 5"
                                        + " along axis 0");
            }
        }
    }

    private void assertNothingHappened(Path where, List<String> before) throws IOException {
        assertThat(files(where)).isEqualTo(before);
        assertThat(block.getChildren().values()).as("still quantized").isNotEqualTo(children);
    }

    @Test
    void exportModel_calibrationPathIsAFolder_changesNothing() throws IOException {
        Path json = Files.createDirectory(folder.resolve("taken"));
        List<String> before = files(folder);
        assertThatThrownBy(() -> quantizer.exportModel(folder.resolve("out/net"), json))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(json + ": is a folder; expected a file's path");
        assertNothingHappened(folder, before);
    }

    @Test
    void exportModel_parametersPathIsAFolder_changesNothing() throws IOException {
        Path taken = Files.createDirectory(folder.resolve("net-0000.params"));
        List<String> before = files(folder);
        assertThatThrownBy(
                        () ->
                                quantizer.exportModel(
                                        folder.resolve("net"), folder.resolve("c.json")))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(taken + ": is a folder; expected a file's path");
        assertNothingHappened(folder, before);
    }

    @Test
    void exportModel_folderIsAFile_changesNothing() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "mine", StandardCharsets.UTF_8);
        List<String> before = files(folder);
        assertThatThrownBy(
                        () ->
                                quantizer.exportModel(
                                        folder.resolve("new/deep/net"), file.resolve("c.json")))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(file + ": is a file; expected a folder");
        assertNothingHappened(folder, before);
        assertThat(file).hasContent("mine");
    }

    @Test
    void exportModel_unwritableFolder_changesNothing() throws IOException {
        Path locked = Files.createDirectory(folder.resolve("locked"));
        assumeThat(locked.toFile().setWritable(false) && !Files.isWritable(locked))
                .as("a user who may write everywhere cannot see this")
                .isTrue();
        List<String> before = files(folder);
        assertThatThrownBy(
                        () ->
                                quantizer.exportModel(
                                        folder.resolve("net"), locked.resolve("c.json")))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining("there is no permission to write this");
        assertNothingHappened(folder, before);
    }

    @Test
    void exportModel_newerParametersBeside_areNotPassedOver() throws IOException {
        Path newer = folder.resolve("net-0007.params");
        Files.writeString(newer, "", StandardCharsets.UTF_8);
        List<String> before = files(folder);
        assertThatThrownBy(
                        () ->
                                quantizer.exportModel(
                                        folder.resolve("net"), folder.resolve("c.json")))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(
                        newer
                                + ": is what Model.load would take for newer than net-0000.params;"
                                + " write to another folder or name");
        assertNothingHappened(folder, before);
    }

    @Test
    void exportModel_bothToOnePath_isRefused() throws IOException {
        Path path = folder.resolve("net-0000.params");
        assertThatThrownBy(() -> quantizer.exportModel(folder.resolve("net"), path))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(path + ": is where the parameters go; expected another path");
        assertNothingHappened(folder, List.of());
    }

    @Test
    void exportModel_notInitialized_isRefused() {
        try (Model late = Model.newInstance("late")) {
            late.setBlock(Networks.small());
            try (QATQuantizer early = new QATQuantizer(late, ALL, Networks.sgd(0.1f))) {
                early.compress();
                assertThatThrownBy(
                                () ->
                                        early.exportModel(
                                                folder.resolve("net"), folder.resolve("c.json")))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("the model is not initialized");
            }
        }
    }

    @Test
    void exportModel_neverCompressed_isRefused() {
        try (Model plain = Networks.smallModel(SEED);
                QATQuantizer idle = new QATQuantizer(plain, ALL, Networks.sgd(0.1f))) {
            assertThatThrownBy(
                            () -> idle.exportModel(folder.resolve("net"), folder.resolve("c.json")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("call compress() first");
        }
    }

    @Test
    void close_quantizedModel_givesTheFloatNetworkBack() {
        quantizer.close();
        quantizer.close();
        assertThat(block.getChildren().values()).containsExactlyElementsOf(children);
        assertThatThrownBy(quantizer::compress)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("this quantizer is closed");
        assertThat(Networks.evaluate(model, X, Networks.SMALL)).hasSize(12);
    }

    @Test
    void compress_twice_isRefused() {
        assertThatThrownBy(quantizer::compress)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the model is quantized already");
        try (QATQuantizer second = new QATQuantizer(model, ALL, Networks.sgd(0.1f))) {
            assertThatThrownBy(second::compress).isInstanceOf(IllegalStateException.class);
        }
    }
}
