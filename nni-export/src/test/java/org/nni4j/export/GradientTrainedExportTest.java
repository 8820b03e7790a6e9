package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
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
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.dorefa.DoReFaQuantizer;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;

/** Outputs whose gradients were quantized compute in float, and stand in no export's way. */
class GradientTrainedExportTest {

    private static final String CONFIG =
            """
            [{"quant_types": ["weight", "input", "output"], "quant_bits": 8,
              "op_types": ["Conv2d", "Linear"], "settings": {"output_gradient": true}}]
            """;

    private static final Shape SHAPE = new Shape(8, 3, 8, 8);

    @TempDir Path folder;

    @Test
    void export_afterTrainingWithQuantizedGradients_runsInIntegers() throws IOException {
        try (Model model = model();
                DoReFaQuantizer quantizer = trained(model);
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray samples = manager.randomUniform(0, 1, new Shape(32, 3, 8, 8));
            Path file = folder.resolve("net.onnx");
            ExportReport report =
                    OnnxExporter.builder()
                            .optTimed(0)
                            .build()
                            .exportQuantized(quantizer, new NDList(samples), file);

            assertThat(file).isNotEmptyFile();
            assertThat(report.isVerified()).as(report.toString()).isTrue();
            assertThat(report.floatLayers().toString())
                    .as(report.toString())
                    .doesNotContain("its weight is not quantized");
        }
    }

    @Test
    void exportModel_afterTrainingWithQuantizedGradients_calibratesNoOutput() throws IOException {
        try (Model model = model();
                DoReFaQuantizer quantizer = trained(model)) {
            Path json = folder.resolve("net.json");
            quantizer.exportModel(folder.resolve("net"), json, folder.resolve("net.onnx"), SHAPE);

            List<CalibratedLayer> layers = CalibrationConfig.read(json).layers();
            assertThat(layers).hasSize(4);
            assertThat(layers).allSatisfy(layer -> assertThat(layer.unobserved()).isEmpty());
            assertThat(layers)
                    .flatMap(CalibratedLayer::tensors)
                    .extracting(tensor -> tensor.quantType())
                    .containsOnly(QuantType.WEIGHT, QuantType.INPUT);
        }
    }

    private static Model model() {
        Model model = Model.newInstance("residual", "PyTorch");
        model.getNDManager().getEngine().setRandomSeed(5);
        SequentialBlock block = convolution(new SequentialBlock());
        block.add(Activation.reluBlock())
                .add(
                        new ParallelBlock(
                                branches ->
                                        new NDList(
                                                NDArrays.add(
                                                        branches.get(0).head(),
                                                        branches.get(1).head())),
                                List.of(residual(), Blocks.identityBlock())))
                .add(Activation.reluBlock())
                .add(Pool.globalAvgPool2dBlock())
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(8).build());
        block.initialize(model.getNDManager(), DataType.FLOAT32, SHAPE);
        model.setBlock(block);
        return model;
    }

    private static Block residual() {
        return convolution(convolution(new SequentialBlock()).add(Activation.reluBlock()));
    }

    private static SequentialBlock convolution(SequentialBlock block) {
        return block.add(
                        Conv2d.builder()
                                .setKernelShape(new Shape(3, 3))
                                .optPadding(new Shape(1, 1))
                                .setFilters(6)
                                .build())
                .add(BatchNorm.builder().build());
    }

    private static DoReFaQuantizer trained(Model model) {
        Optimizer optimizer = Optimizer.sgd().setLearningRateTracker(Tracker.fixed(.02f)).build();
        DoReFaQuantizer quantizer =
                new DoReFaQuantizer(model, ConfigList.fromJson(CONFIG), optimizer);
        quantizer.compress();
        DefaultTrainingConfig training =
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                        .optOptimizer(quantizer.optimizer());
        try (Trainer trainer = model.newTrainer(training)) {
            for (int step = 0; step < 4; step++) {
                try (NDManager batch = trainer.getManager().newSubManager()) {
                    NDArray x = batch.randomUniform(0, 1, SHAPE);
                    NDList labels = new NDList(batch.arange((int) SHAPE.get(0)));
                    try (GradientCollector collector = trainer.newGradientCollector()) {
                        NDList scores = trainer.forward(new NDList(x));
                        collector.backward(trainer.getLoss().evaluate(labels, scores));
                    }
                    quantizer.proceedBackward();
                    trainer.step();
                }
            }
        }
        return quantizer;
    }
}
