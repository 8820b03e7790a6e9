package org.nni4j.export;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.config.ConfigList;
import org.nni4j.export.onnx.OnnxModelReader;

/**
 * A small network, calibrated on drawn inputs and written as integers; not timed, on one thread.
 *
 * @param report of the export
 * @param model the file, read back
 */
record IntegerExport(ExportReport report, OnnxModelReader model) {

    /** For layers, eight bits. */
    static final String LAYERS =
            """
            [{"quant_types": ["weight", "input"], "quant_bits": 8,
              "op_types": ["Conv1d", "Conv2d", "Conv3d", "Linear"]}]
            """;

    private static final int SEED = 31;
    private static final int SAMPLES = 16;

    /** Quantizes layers alone: the network is not traced, and BatchNorms stay unfolded. */
    static IntegerExport untraced(
            Block block, String config, Shape shape, OnnxExporter.Builder exporter, Path folder)
            throws IOException {
        return written(block, config, shape, exporter, folder, false);
    }

    /** Quantizes functional operators too, and folds BatchNorms. */
    static IntegerExport traced(
            Block block, String config, Shape shape, OnnxExporter.Builder exporter, Path folder)
            throws IOException {
        return written(block, config, shape, exporter, folder, true);
    }

    private static IntegerExport written(
            Block block,
            String config,
            Shape shape,
            OnnxExporter.Builder exporter,
            Path folder,
            boolean traced)
            throws IOException {
        try (Model model = Model.newInstance("small", "PyTorch");
                NDManager scope = model.getNDManager().newSubManager()) {
            model.getNDManager().getEngine().setRandomSeed(SEED);
            if (!block.isInitialized()) {
                block.initialize(model.getNDManager(), DataType.FLOAT32, shape);
            }
            model.setBlock(block);
            NDList samples = Agreement.normal(scope, SAMPLES, shape);
            ConfigList list = ConfigList.fromJson(config);
            try (ObserverQuantizer quantizer =
                    traced
                            ? new ObserverQuantizer(model, list, samples)
                            : new ObserverQuantizer(model, list)) {
                quantizer.observe();
                block.forward(new ParameterStore(scope, false), samples, false);
                quantizer.compress();
                Path file = folder.resolve("small.onnx");
                NDList others = Agreement.normal(scope, SAMPLES, shape);
                ExportReport report =
                        exporter.optTimed(0)
                                .optThreads(1)
                                .build()
                                .exportQuantized(quantizer, others, file);
                return new IntegerExport(report, new OnnxModelReader(Files.readAllBytes(file)));
            }
        }
    }

    /** Blocks in a row, with drawn parameters. */
    static SequentialBlock initialized(NDManager manager, Shape shape, Block... blocks) {
        SequentialBlock all = new SequentialBlock();
        for (Block block : blocks) {
            all.add(block);
        }
        manager.getEngine().setRandomSeed(SEED);
        all.initialize(manager, DataType.FLOAT32, shape);
        return all;
    }

    static Conv2d convolution(int channels) {
        return Conv2d.builder()
                .setKernelShape(new Shape(3, 3))
                .setFilters(channels)
                .optPadding(new Shape(1, 1))
                .build();
    }

    /** The parameter of a layer, to be set. */
    static NDArray parameter(Block layer, String name) {
        return layer.getParameters().get(name).getArray();
    }
}
