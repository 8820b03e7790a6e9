package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
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
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.Batchifier;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.export.verification.Verification;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;

/** Quantized networks leave as integers and compute what was trained. */
class QuantizedExportTest {

    private static final String INT8 =
            """
            [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Conv2d", "Linear"]},
             {"quant_types": ["input"], "quant_bits": 8, "op_types": ["Add", "GlobalAvgPool"]}]
            """;

    private static final Shape SHAPE = new Shape(4, 3, 16, 16);

    @TempDir Path folder;

    @Test
    void export_residualNetwork_runsInIntegersOnly() throws IOException {
        try (Model model = Model.newInstance("residual", "PyTorch")) {
            model.setBlock(residualNetwork());
            ExportReport report = trainAndExport(model, "qat", INT8, true, OnnxExporter.builder());

            assertThat(report.isVerified()).as(report.toString()).isTrue();
            assertThat(report.floatLayers()).as(report.toString()).isEmpty();
        }
    }

    @Test
    void exportModel_withOnnxPath_writesAllThree() throws IOException {
        try (Model model = Model.newInstance("three", "PyTorch");
                Quantizer quantizer = trained(model)) {
            Path onnx = folder.resolve("onnx/three.onnx");

            quantizer.exportModel(
                    folder.resolve("three"), folder.resolve("three.json"), onnx, SHAPE);

            assertThat(onnx).isNotEmptyFile();
            assertThat(onnx.getParent()).isDirectoryContaining(onnx::equals);
            assertThat(folder.resolve("three.json")).exists();
            assertThat(folder.resolve("three-0000.params")).exists();
            assertThat(SHAPE).as("the caller's").isEqualTo(new Shape(4, 3, 16, 16));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"taken", "three.json", "three-0000.params"})
    void exportModel_whereOnnxCannotGo_changesNothing(String name) throws IOException {
        Files.createDirectories(folder.resolve("taken/by-a-folder"));
        Path before = Files.writeString(folder.resolve("three.json"), "before");
        try (Model model = Model.newInstance("three", "PyTorch");
                Quantizer quantizer = trained(model)) {
            Path onnx = folder.resolve(name);

            assertThatThrownBy(
                            () ->
                                    quantizer.exportModel(
                                            folder.resolve("three"), before, onnx, SHAPE))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessageContaining(onnx.toString());

            assertThat(before).hasContent("before");
            assertThat(folder.resolve("three-0000.params")).doesNotExist();
            // refused unless the quantizers are still in the model
            assertThat(quantizer.inspect()).isNotNull();
        }
    }

    private static Quantizer trained(Model model) {
        model.setBlock(residualNetwork());
        return trained(model, "qat", INT8, false, SHAPE);
    }

    /** Trained without a trace, BatchNorms go into the scales of the weights before them. */
    @Test
    void export_unfoldedBatchNorms_keepsTheIntegersOfTheWeights() throws IOException {
        try (Model model = Model.newInstance("unfolded", "PyTorch")) {
            model.setBlock(residualNetwork());
            ExportReport report = trainAndExport(model, "qat", INT8, false, OnnxExporter.builder());

            assertThat(report.isVerified()).as(report.toString()).isTrue();
            // Without a trace the additions are in float, and say so.
            assertThat(report.floatLayers().toString())
                    .contains("Add")
                    .contains("is not quantized");
        }
    }

    @ParameterizedTest
    @CsvSource({"lsq, 4, 4", "lsq, 2, 2", "dorefa, 1, 2", "bnn, 1, 1"})
    void export_lowBits_isVerified(String algorithm, int weight, int input) throws IOException {
        String config =
                String.format(
                        "[{\"quant_types\": [\"weight\", \"input\"], \"quant_bits\": {\"weight\":"
                                + " %d, \"input\": %d}, \"op_types\": [\"Conv2d\", \"Linear\"]}]",
                        weight, input);
        try (Model model = Model.newInstance("low", "PyTorch")) {
            model.setBlock(residualNetwork());
            ExportReport report =
                    trainAndExport(
                            model,
                            algorithm,
                            config,
                            false,
                            // Of 32 samples of a barely trained network a few may be undecided.
                            OnnxExporter.builder()
                                    .optLimits(new Verification.Limits(0.02, 16, 0.75)));
            assertThat(report.isVerified()).as(report.toString()).isTrue();
        }
    }

    @Test
    void export_fourBitWeights_haveFourBitsInTheFile() throws IOException {
        String config =
                """
                [{"quant_types": ["weight", "input"], "quant_bits": {"weight": 4, "input": 8},
                  "op_types": ["Conv2d", "Linear"]}]
                """;
        try (Model model = Model.newInstance("four", "PyTorch")) {
            model.setBlock(residualNetwork());
            OnnxExporter.Builder exporter = OnnxExporter.builder().optFourBitWeights(true);
            ExportReport report = trainAndExport(model, "qat", config, true, exporter);

            assertThat(report.isVerified()).as(report.toString()).isTrue();
            assertThat(report.export().opset()).isEqualTo(21);
        }
    }

    /** The first convolution's three channels get a fourth, of zeros, which changes no result. */
    @Test
    void export_threeInputChannels_areWrittenAsFour() throws IOException {
        try (Model model = Model.newInstance("picture", "PyTorch")) {
            SequentialBlock network = new SequentialBlock();
            network.add(convolution(16, 1)).add(Activation.reluBlock());
            network.add(convolution(16, 1)).add(Activation.reluBlock());
            network.add(Pool.globalAvgPool2dBlock());
            network.add(Linear.builder().setUnits(10).build());
            model.setBlock(network);
            ExportReport report = trainAndExport(model, "qat", INT8, true, OnnxExporter.builder());

            assertThat(report.isVerified()).as(report.toString()).isTrue();
            assertThat(report.floatLayers()).as(report.toString()).isEmpty();
            assertThat(report.export().operators()).containsEntry("Pad", 1);
        }
    }

    /** Eight output channels do not fill the registers that the fourth channel is meant for. */
    @Test
    void export_fewOutputChannels_keepsThreeInputChannels() throws IOException {
        try (Model model = Model.newInstance("few", "PyTorch")) {
            model.setBlock(residualNetwork());
            ExportReport report = trainAndExport(model, "qat", INT8, true, OnnxExporter.builder());

            assertThat(report.export().operators()).doesNotContainKey("Pad");
        }
    }

    private static Block residualNetwork() {
        SequentialBlock network = new SequentialBlock();
        network.add(convolution(8, 1)).add(BatchNorm.builder().build());
        network.add(Activation.reluBlock());
        for (int stride : new int[] {1, 2}) {
            SequentialBlock main = new SequentialBlock();
            main.add(convolution(8 * stride, stride)).add(BatchNorm.builder().build());
            main.add(Activation.reluBlock());
            main.add(convolution(8 * stride, 1)).add(BatchNorm.builder().build());
            Block shortcut =
                    stride == 1
                            ? Blocks.identityBlock()
                            : new SequentialBlock()
                                    .add(convolution(16, 2))
                                    .add(BatchNorm.builder().build());
            network.add(
                    new ParallelBlock(
                            branches ->
                                    new NDList(
                                            branches.get(0)
                                                    .singletonOrThrow()
                                                    .add(branches.get(1).singletonOrThrow())),
                            List.of(main, shortcut)));
            network.add(Activation.reluBlock());
        }
        network.add(Pool.globalAvgPool2dBlock());
        network.add(Linear.builder().setUnits(10).build());
        return network;
    }

    private static Conv2d convolution(int channels, int stride) {
        return Conv2d.builder()
                .setKernelShape(new Shape(3, 3))
                .setFilters(channels)
                .optStride(new Shape(stride, stride))
                .optPadding(new Shape(1, 1))
                .optBias(false)
                .build();
    }

    private ExportReport trainAndExport(
            Model model,
            String algorithm,
            String config,
            boolean fold,
            OnnxExporter.Builder exporter)
            throws IOException {
        model.getNDManager().getEngine().setRandomSeed(5);
        try (Quantizer quantizer =
                        trained(model, algorithm, config, fold, new Shape(8, 3, 16, 16));
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray samples = manager.randomNormal(new Shape(32, 3, 16, 16));
            Path file = folder.resolve("model.onnx");
            ExportReport report =
                    exporter.optTimed(0)
                            .optThreads(1)
                            .build()
                            .exportQuantized(quantizer, new NDList(samples), file);
            assertThat(Files.size(file)).isEqualTo(report.export().bytes());
            return report;
        }
    }

    private static Quantizer trained(
            Model model, String algorithm, String config, boolean fold, Shape shape) {
        model.getBlock().initialize(model.getNDManager(), DataType.FLOAT32, shape);
        Graph graph = fold ? GraphTracer.trace(model, shape) : null;
        Optimizer optimizer = Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.02f)).build();
        Quantizer quantizer =
                Quantizers.create(
                        algorithm,
                        model,
                        ConfigList.fromJson(config),
                        optimizer,
                        QuantizerOptions.standard(),
                        graph);
        quantizer.compress();
        train(quantizer, shape);
        return quantizer;
    }

    private static void train(Quantizer quantizer, Shape shape) {
        DefaultTrainingConfig training =
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                        .optOptimizer(quantizer.optimizer());
        try (Trainer trainer = quantizer.model().newTrainer(training)) {
            for (int step = 0; step < 6; step++) {
                try (NDManager scope = trainer.getManager().newSubManager()) {
                    NDArray x = scope.randomNormal(shape);
                    NDArray y = scope.arange((int) shape.get(0)).toType(DataType.INT64, false);
                    Batch batch =
                            new Batch(
                                    scope,
                                    new NDList(x),
                                    new NDList(y),
                                    (int) shape.get(0),
                                    Batchifier.STACK,
                                    Batchifier.STACK,
                                    0,
                                    0);
                    EasyTrain.trainBatch(trainer, batch);
                    trainer.step();
                }
            }
        }
    }
}
