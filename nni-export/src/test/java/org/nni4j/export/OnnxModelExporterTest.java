package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.transformer.IdEmbedding;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.dynamic.DynamicQuantizer;
import org.nni4j.algorithms.observer.ObserverQuantizer;

/** {@code exportModel} with an ONNX path, on drawn inputs and on given ones. */
class OnnxModelExporterTest {

    private static final List<Map<String, Object>> INT8 =
            List.of(
                    Map.of(
                            "quant_types", List.of("weight", "input"),
                            "quant_bits", 8,
                            "op_types", List.of("Linear")));

    @TempDir private Path folder;

    private Path parameters;
    private Path calibration;
    private Path onnx;

    @BeforeEach
    void nameFiles() {
        Engine.getInstance().setRandomSeed(6);
        parameters = folder.resolve("net");
        calibration = folder.resolve("net.json");
        onnx = folder.resolve("net.onnx");
    }

    @Test
    void networkThatReadsIds_refusesDrawnInputs_andTakesSamples() throws Exception {
        try (Model model = Model.newInstance("ids", "PyTorch");
                NDManager manager = model.getNDManager().newSubManager()) {
            Block block =
                    new SequentialBlock()
                            .add(
                                    new IdEmbedding.Builder()
                                            .setDictionarySize(9)
                                            .setEmbeddingSize(4)
                                            .build())
                            .add(Linear.builder().setUnits(3).build());
            NDArray ids = manager.create(new long[] {1, 2, 3, 4, 5, 0, 8, 7}, new Shape(2, 4));
            block.initialize(model.getNDManager(), DataType.FLOAT32, ids.getShape());
            model.setBlock(block);
            try (DynamicQuantizer quantizer = new DynamicQuantizer(model, INT8)) {
                quantizer.compress();

                assertThatThrownBy(
                                () ->
                                        quantizer.exportModel(
                                                parameters, calibration, onnx, new Shape(1, 4)))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageStartingWith("input shapes [(1, 4)]: the network does not take")
                        .hasMessageContaining("reads them as indices")
                        .hasMessageContaining(
                                "exportModel(modelPath, calibrationPath, onnxPath, samples)");
                assertThat(folder).isEmptyDirectory();

                quantizer.exportModel(parameters, calibration, onnx, new NDList(ids));
                assertThat(onnx).isNotEmptyFile();
                assertThat(calibration).isNotEmptyFile();
            }
        }
    }

    @Test
    void noShapes_areRefused() {
        try (Model model = Model.newInstance("none", "PyTorch")) {
            model.setBlock(tied(model));
            try (DynamicQuantizer quantizer = new DynamicQuantizer(model, INT8)) {
                quantizer.compress();
                assertThatThrownBy(
                                () ->
                                        quantizer.exportModel(
                                                parameters, calibration, onnx, new Shape[0]))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageStartingWith("no input shapes; expected one for each");
            }
        }
    }

    @Test
    void top1_isAskedForOnGivenSamples_andNotOnDrawnOnes() throws Exception {
        try (Model model = Model.newInstance("tied", "PyTorch");
                NDManager manager = model.getNDManager().newSubManager()) {
            model.setBlock(tied(model));
            try (ObserverQuantizer quantizer = new ObserverQuantizer(model, INT8)) {
                NDArray samples = manager.randomNormal(new Shape(16, 8));
                quantizer.observe();
                model.getBlock()
                        .forward(new ParameterStore(manager, false), new NDList(samples), false);
                quantizer.compress();

                assertThatThrownBy(
                                () ->
                                        quantizer.exportModel(
                                                parameters, calibration, onnx, new NDList(samples)))
                        .isInstanceOf(UnverifiedModelException.class)
                        .hasMessageContaining("top-1 is the same for 0.0 %");
                assertThat(folder).isEmptyDirectory();

                quantizer.exportModel(parameters, calibration, onnx, new Shape(1, 8));
                assertThat(onnx).isNotEmptyFile();
            }
        }
    }

    /**
     * Two units whose weights are the same and whose biases differ by less than an integer of the
     * products' scale: in DJL the second is always the larger one, as integers they are equal, and
     * the first of equal ones counts.
     */
    private static Block tied(Model model) {
        Linear linear = Linear.builder().setUnits(2).build();
        linear.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 8));
        float[] rows = new float[16];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = 0.1f * (i % 8) - 0.4f;
        }
        set(linear.getParameters().get("weight").getArray(), rows);
        set(linear.getParameters().get("bias").getArray(), 0.5f, 0.50001f);
        return linear;
    }

    private static void set(NDArray array, float... values) {
        try (NDArray fresh = array.getManager().create(values, array.getShape())) {
            fresh.copyTo(array);
        }
    }
}
