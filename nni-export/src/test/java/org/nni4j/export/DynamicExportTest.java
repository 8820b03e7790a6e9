package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.ParameterStore;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.dynamic.DynamicQuantizer;
import org.nni4j.algorithms.naive.NaiveQuantizer;

/** A dynamically quantized network computes in ONNX Runtime what it computes in DJL. */
class DynamicExportTest {

    private static final int SEED = 515;
    private static final int INPUTS = 24;

    /**
     * Of an LSTM's output, which is below 1. An integer that differed by one would change a
     * preactivation by some 1e-4 (2 / 255 of the hidden state times a weight of 1 / 30 and more);
     * ONNX Runtime's sigmoid and tanh differ from the engine's by a few 1e-7.
     */
    private static final double SAME_INTEGERS = 2e-6;

    /** Relative to the largest: the fused kernel multiplies and adds with one rounding. */
    private static final double FUSED = 1e-6;

    private static final OnnxExporter UNTIMED = OnnxExporter.builder().optTimed(0).build();

    @TempDir private Path folder;

    @ParameterizedTest
    @CsvSource({
        "per_tensor_symmetric, true, 1, false", "per_channel_symmetric, true, 1, false",
        "per_tensor_symmetric, false, 7, true", "per_channel_symmetric, true, 7, true"
    })
    void linear_isTheSameToTheLastBit(String scheme, boolean bias, int steps, boolean reduced)
            throws Exception {
        Block block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(40).optBias(bias).build())
                        .add(ai.djl.nn.Activation.reluBlock())
                        .add(Linear.builder().setUnits(10).optBias(bias).build());
        Shape shape = steps == 1 ? new Shape(1, INPUTS) : new Shape(1, steps, INPUTS);
        try (Model model = model(block, shape);
                DynamicQuantizer quantizer = quantizer(model, scheme, reduced);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            Path file = folder.resolve("linear.onnx");
            NDList inputs = new NDList(random(manager, shape, SEED));
            OnnxExport export = DynamicExporter.export(UNTIMED, quantizer, inputs, file).export();
            assertThat(export.operators())
                    .containsEntry("DynamicQuantizeLinear", 2)
                    .containsEntry("MatMulInteger", 2)
                    .doesNotContainKeys("MatMul", "Gemm");
            for (int seed = 0; seed < 3; seed++) {
                NDList data = new NDList(random(manager, shape, seed));
                float[] expected = evaluate(model, data).get(0).toFloatArray();
                assertThat(run(file, data, OptLevel.NO_OPT).get(0).elements())
                        .as("seed %s", seed)
                        .isEqualTo(expected);
                assertClose(run(file, data, OptLevel.ALL_OPT), evaluate(model, data), FUSED, seed);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "per_tensor_symmetric, 1, true, true, false",
        "per_channel_symmetric, 1, true, false, false",
        "per_tensor_symmetric, 2, false, true, false",
        "per_channel_symmetric, 2, true, true, false",
        "per_tensor_symmetric, 2, true, false, true",
        "per_channel_symmetric, 1, false, false, true"
    })
    void lstm_hasTheSameIntegers(
            String scheme, int layers, boolean batchFirst, boolean biases, boolean bidirectional)
            throws Exception {
        LSTM lstm =
                LSTM.builder()
                        .setStateSize(32)
                        .setNumLayers(layers)
                        .optBatchFirst(batchFirst)
                        .optHasBiases(biases)
                        .optBidirectional(bidirectional)
                        .optReturnState(true)
                        .build();
        Shape shape = batchFirst ? new Shape(1, 9, INPUTS) : new Shape(9, 1, INPUTS);
        try (Model model = model(lstm, shape);
                DynamicQuantizer quantizer = quantizer(model, scheme, false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            Path file = folder.resolve("lstm.onnx");
            OnnxExporter fixed = OnnxExporter.builder().optFixedBatch(true).build();
            OnnxExport export =
                    DynamicExporter.export(
                                    fixed,
                                    quantizer,
                                    new NDList(random(manager, shape, SEED)),
                                    file)
                            .export();
            assertThat(export.operators())
                    .containsEntry("DynamicQuantizeLSTM", layers)
                    .doesNotContainKey("LSTM");
            for (int seed = 0; seed < 3; seed++) {
                NDList data = new NDList(random(manager, shape, seed));
                NDList expected = evaluate(model, data);
                for (OptLevel level : List.of(OptLevel.NO_OPT, OptLevel.ALL_OPT)) {
                    assertClose(run(file, data, level), expected, SAME_INTEGERS, seed);
                }
            }
        }
    }

    @Test
    void lstm_withGivenStates_hasTheSameIntegers() throws Exception {
        LSTM lstm = LSTM.builder().setStateSize(16).setNumLayers(2).optReturnState(true).build();
        Shape shape = new Shape(1, 6, INPUTS);
        try (Model model = model(lstm, shape);
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            Shape state = new Shape(2, 1, 16);
            NDList inputs =
                    new NDList(
                            random(manager, shape, 1),
                            random(manager, state, 2),
                            random(manager, state, 3));
            Path file = folder.resolve("states.onnx");
            OnnxExporter fixed = OnnxExporter.builder().optFixedBatch(true).build();
            DynamicReport report = DynamicExporter.export(fixed, quantizer, inputs, file);
            assertThat(report.isVerified()).isTrue();
            assertThat(report.differing()).isZero();
            assertThat(report.toString()).contains("verified: 0 of");
            assertClose(
                    run(file, inputs, OptLevel.NO_OPT), evaluate(model, inputs), SAME_INTEGERS, 1);
        }
    }

    /** One thread does not split a batch, so all of it has one range, as in DJL. */
    @Test
    void lstm_ofALargerBatch_hasTheSameIntegersWithOneThread() throws Exception {
        LSTM lstm = LSTM.builder().setStateSize(32).setNumLayers(2).build();
        try (Model model = model(lstm, new Shape(1, 6, INPUTS));
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            Path file = folder.resolve("batch.onnx");
            NDList inputs = new NDList(random(manager, new Shape(1, 6, INPUTS), SEED));
            assertThat(DynamicExporter.export(UNTIMED, quantizer, inputs, file).export().anyBatch())
                    .isTrue();
            for (int batch : new int[] {3, 6}) {
                NDList data = new NDList(random(manager, new Shape(batch, 6, INPUTS), batch));
                for (OptLevel level : List.of(OptLevel.NO_OPT, OptLevel.ALL_OPT)) {
                    assertClose(
                            run(file, data, level), evaluate(model, data), SAME_INTEGERS, batch);
                }
            }
        }
    }

    /** Weights are a quarter, and there is little else. A GRU beside it stays float. */
    @Test
    void file_isSmaller_andWhatIsNotQuantizedStaysFloat() throws Exception {
        Block block =
                new SequentialBlock()
                        .add(LSTM.builder().setStateSize(128).setNumLayers(1).build())
                        .add(GRU.builder().setStateSize(8).setNumLayers(1).build())
                        .add(Linear.builder().setUnits(2).build());
        Shape shape = new Shape(1, 5, 128);
        try (Model model = model(block, shape);
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            Path floating = folder.resolve("float.onnx");
            Path integer = folder.resolve("int8.onnx");
            NDList inputs = new NDList(random(manager, shape, SEED));
            OnnxExporter.builder().build().exportFloat(block, floating, inputs);
            quantizer.compress();
            OnnxExport export =
                    DynamicExporter.export(UNTIMED, quantizer, inputs, integer).export();
            assertThat(export.operators()).containsKeys("GRU", "DynamicQuantizeLSTM");
            assertThat((double) Files.size(floating) / Files.size(integer)).isGreaterThan(3.5);
            // The GRU's own sums differ by their order.
            assertClose(run(integer, inputs, OptLevel.NO_OPT), evaluate(model, inputs), 1e-5, SEED);
        }
    }

    @Test
    void profilePytorch_andOtherAlgorithms_areRefused() {
        try (Model model = model(Linear.builder().setUnits(3).build(), new Shape(1, INPUTS));
                NDManager manager = NDManager.newBaseManager()) {
            NDList inputs = new NDList(random(manager, new Shape(1, INPUTS), SEED));
            Path file = folder.resolve("refused.onnx");
            Map<String, Object> entry =
                    Map.of(
                            "quant_types", List.of("weight", "input"),
                            "quant_bits", 8,
                            "op_types", List.of("Linear"),
                            "settings", Map.of("profile", "pytorch"));
            try (DynamicQuantizer quantizer = new DynamicQuantizer(model, List.of(entry))) {
                quantizer.compress();
                assertThatThrownBy(() -> DynamicExporter.export(quantizer, inputs, file))
                        .isInstanceOf(OnnxExportException.class)
                        .hasMessageContaining("layer \"Linear\": profile \"pytorch\"");
            }
            try (DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false)) {
                quantizer.compress();
                assertThatThrownBy(() -> OnnxExporter.export(quantizer, inputs, file))
                        .isInstanceOf(OnnxExportException.class)
                        .hasMessageContaining("expected DynamicExporter.export");
            }
            Map<String, Object> weights =
                    Map.of(
                            "quant_types", List.of("weight"),
                            "quant_bits", 8,
                            "op_types", List.of("Linear"));
            try (NaiveQuantizer quantizer = new NaiveQuantizer(model, List.of(weights))) {
                quantizer.compress();
                assertThatThrownBy(() -> DynamicExporter.export(quantizer, inputs, file))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("algorithm \"naive\"; expected \"dynamic\"");
            }
            assertThat(file).doesNotExist();
        }
    }

    /** One value alone has no range, which says nothing of how exactly it can be met. */
    @Test
    void singleOutput_isVerified() throws Exception {
        try (Model model = model(lastStep(), new Shape(1, 9, INPUTS));
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            NDList inputs = new NDList(random(manager, new Shape(1, 9, INPUTS), SEED));
            DynamicReport report =
                    DynamicExporter.export(UNTIMED, quantizer, inputs, folder.resolve("one.onnx"));
            assertThat(report.isVerified()).as(report.toString()).isTrue();
            assertThat(report.values()).isOne();
        }
    }

    private static Block lastStep() {
        return new SequentialBlock()
                .add(LSTM.builder().setStateSize(32).setNumLayers(1).build())
                .addSingleton(sequence -> sequence.get(":, -1"))
                .add(Linear.builder().setUnits(1).build());
    }

    @Test
    void integerOutputs_areComparedForEquality() throws Exception {
        Block block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(7).build())
                        .addSingleton(scores -> scores.argMax(1));
        try (Model model = model(block, new Shape(4, INPUTS));
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            NDList inputs = new NDList(random(manager, new Shape(4, INPUTS), SEED));
            DynamicReport report =
                    DynamicExporter.export(UNTIMED, quantizer, inputs, folder.resolve("top.onnx"));
            assertThat(report.isVerified()).isTrue();
            assertThat(report.toString()).contains("output0: 0 of 4 integers differ");
        }
    }

    @Test
    void emptySamples_areRefused() {
        try (Model model = model(Linear.builder().setUnits(3).build(), new Shape(1, INPUTS));
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            Path file = folder.resolve("refused.onnx");
            assertThatThrownBy(() -> DynamicExporter.export(quantizer, new NDList(), file))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "no samples; expected an array for each of the network's inputs, batch"
                                    + " first");
            NDList none = new NDList(manager.create(new Shape(0, INPUTS)));
            assertThatThrownBy(() -> DynamicExporter.export(quantizer, none, file))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "samples[0] has shape (0, 24); expected a batch axis first, and no"
                                    + " empty axis");
            OnnxExporter four = OnnxExporter.builder().optFourBitWeights(true).build();
            NDList one = new NDList(random(manager, new Shape(1, INPUTS), SEED));
            assertThatThrownBy(() -> DynamicExporter.export(four, quantizer, one, file))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("optFourBitWeights(true)");
            OnnxExporter seven = OnnxExporter.builder().optSevenBitWeights(true).build();
            assertThatThrownBy(() -> DynamicExporter.export(seven, quantizer, one, file))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("optSevenBitWeights(true)");
        }
    }

    @Test
    void report_saysWhatStayedFloatAndWhy_andWhatIsGained() throws Exception {
        Block block =
                new SequentialBlock()
                        .add(LSTM.builder().setStateSize(16).setNumLayers(1).build())
                        .add(GRU.builder().setStateSize(8).setNumLayers(1).build())
                        .add(Linear.builder().setUnits(2).build());
        Shape shape = new Shape(2, 5, INPUTS);
        try (Model model = model(block, shape);
                DynamicQuantizer quantizer = new DynamicQuantizer(model, List.of(entry("LSTM")));
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            OnnxExporter timed = OnnxExporter.builder().optThreads(1).optTimed(0.05, 1, 3).build();
            Path file = folder.resolve("report.onnx");
            NDList inputs = new NDList(random(manager, shape, SEED));
            DynamicReport report = DynamicExporter.export(timed, quantizer, inputs, file);

            assertThat(report.census().counts()).containsKeys("DynamicQuantizeLSTM", "GRU");
            assertThat(report.floatLayers())
                    .anySatisfy(
                            layer -> {
                                assertThat(layer.layer()).isEqualTo("02GRU");
                                assertThat(layer.reason())
                                        .isEqualTo(
                                                "the runtime has no dynamic integer kernel for"
                                                        + " Gru");
                            })
                    .anySatisfy(
                            layer -> {
                                assertThat(layer.layer()).isEqualTo("03Linear");
                                assertThat(layer.reason())
                                        .isEqualTo(
                                                quantizer.plan().layersLeftAlone().stream()
                                                        .filter(l -> l.path().equals("03Linear"))
                                                        .findFirst()
                                                        .orElseThrow()
                                                        .reason());
                            });
            assertThat(report.gains().integerBytes()).isEqualTo(Files.size(file));
            assertThat(report.gains().shrinkage()).isGreaterThan(1);
            assertThat(report.gains().batches()).extracting(b -> b.size()).containsExactly(1, 3);
            assertThat(report.toString())
                    .contains("in float: 02GRU (GRU)", "executed: ", "times smaller", "batch 3");
        }
    }

    /** What Java read of a tensor is a constant of the model, which the user has to know. */
    @Test
    void report_printsTheTracesNotes() throws Exception {
        Block block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(3).build())
                        .addSingleton(
                                scores -> {
                                    scores.toFloatArray();
                                    return scores;
                                });
        try (Model model = model(block, new Shape(2, INPUTS));
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            NDList inputs = new NDList(random(manager, new Shape(2, INPUTS), SEED));
            DynamicReport report =
                    DynamicExporter.export(UNTIMED, quantizer, inputs, folder.resolve("read.onnx"));
            assertThat(report.toString()).contains("note: ", "what Java made of it");
        }
    }

    @Test
    void exportModel_withOnnxPath_writesADynamicModelToo() throws Exception {
        Shape shape = new Shape(1, 6, INPUTS);
        try (Model model = model(lastStep(), shape);
                DynamicQuantizer quantizer = quantizer(model, "per_tensor_symmetric", false);
                NDManager manager = NDManager.newBaseManager()) {
            quantizer.compress();
            NDList data = new NDList(random(manager, shape, SEED));
            NDList expected = evaluate(model, data);
            Path file = folder.resolve("three.onnx");
            quantizer.exportModel(
                    folder.resolve("three"), folder.resolve("three.json"), file, shape);

            assertThat(folder.resolve("three.json")).exists();
            assertClose(run(file, data, OptLevel.NO_OPT), expected, SAME_INTEGERS, SEED);
        }
    }

    private static Model model(Block block, Shape shape) {
        Model model = Model.newInstance("dynamic", "PyTorch");
        model.getNDManager().getEngine().setRandomSeed(SEED);
        block.initialize(model.getNDManager(), DataType.FLOAT32, shape);
        model.setBlock(block);
        return model;
    }

    private static DynamicQuantizer quantizer(Model model, String scheme, boolean reduced) {
        return new DynamicQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types", List.of("weight", "input"),
                                "quant_bits", 8,
                                "quant_scheme", Map.of("weight", scheme),
                                "op_types", List.of("Linear", "LSTM"),
                                "reduce_range", reduced)));
    }

    private static Map<String, ?> entry(String type) {
        return Map.of(
                "quant_types", List.of("weight", "input"),
                "quant_bits", 8,
                "op_types", List.of(type));
    }

    private static NDArray random(NDManager manager, Shape shape, int seed) {
        Random random = new Random(seed);
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return manager.create(values, shape);
    }

    private static NDList evaluate(Model model, NDList inputs) {
        ParameterStore store = new ParameterStore(inputs.head().getManager(), false);
        return model.getBlock().forward(store, new NDList(inputs), false);
    }

    private static List<OnnxRun.Output> run(Path file, NDList inputs, OptLevel level)
            throws OrtException, IOException {
        try (OnnxRun run = new OnnxRun(file, level)) {
            return run.run(inputs);
        }
    }

    private static void assertClose(
            List<OnnxRun.Output> actual, NDList expected, double tolerance, int seed) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            float[] a = actual.get(i).elements();
            float[] b = expected.get(i).toFloatArray();
            assertThat(actual.get(i).shape()).isEqualTo(expected.get(i).getShape());
            double magnitude = 1;
            double largest = 0;
            for (int k = 0; k < b.length; k++) {
                magnitude = Math.max(magnitude, Math.abs(b[k]));
                largest = Math.max(largest, Math.abs(a[k] - b[k]));
            }
            assertThat(largest / magnitude)
                    .as("output %s, seed %s", i, seed)
                    .isLessThanOrEqualTo(tolerance);
        }
    }
}
