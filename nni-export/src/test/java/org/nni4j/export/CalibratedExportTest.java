package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.config.ConfigList;
import org.nni4j.export.verification.Gains;
import org.nni4j.export.verification.Verification;
import org.nni4j.fixtures.FunctionBlock;

/**
 * What samples, outputs and targets an export of a calibrated network takes, and what it refuses.
 */
class CalibratedExportTest {

    private static final int SEED = 31;

    private static final String INT8 =
            """
            [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Linear"]}]
            """;

    private static final Shape SHAPE = new Shape(5, 6);

    @TempDir private Path folder;

    private Path file() {
        return folder.resolve("net.onnx");
    }

    @FunctionalInterface
    private interface Export {
        ExportReport of(OnnxExporter exporter, ObserverQuantizer quantizer, NDList samples)
                throws IOException;
    }

    private ExportReport export(Block block, OnnxExporter.Builder builder, Shape... shapes)
            throws IOException {
        return export(
                block, builder, (e, q, samples) -> e.exportQuantized(q, samples, file()), shapes);
    }

    private static ExportReport export(
            Block block, OnnxExporter.Builder builder, Export export, Shape... shapes)
            throws IOException {
        try (Model model = Model.newInstance("calibrated", "PyTorch");
                NDManager scope = model.getNDManager().newSubManager()) {
            scope.getEngine().setRandomSeed(SEED);
            block.initialize(model.getNDManager(), DataType.FLOAT32, shapes);
            model.setBlock(block);
            NDList samples = new NDList();
            for (Shape shape : shapes) {
                samples.add(scope.randomNormal(shape));
            }
            try (ObserverQuantizer quantizer =
                    new ObserverQuantizer(model, ConfigList.fromJson(INT8), samples)) {
                quantizer.observe();
                block.forward(new ParameterStore(scope, false), samples, false);
                quantizer.compress();
                return export.of(builder.optThreads(1).build(), quantizer, samples);
            }
        }
    }

    private static SequentialBlock network(UnaryOperator<NDArray> last) {
        return new SequentialBlock()
                .add(Linear.builder().setUnits(16).build())
                .add(Activation.reluBlock())
                .add(Linear.builder().setUnits(7).build())
                .add(new FunctionBlock(in -> new NDList(last.apply(in.head()))));
    }

    private static OnnxExporter.Builder untimed() {
        return OnnxExporter.builder().optTimed(0);
    }

    // ---- samples

    @Test
    void export_fixedBatch_isVerifiedAndTimedAtThatSize() throws IOException {
        ExportReport report =
                export(
                        network(x -> x.reshape(5, 7)),
                        OnnxExporter.builder().optFixedBatch(true).optTimed(0.01, 1, 32),
                        SHAPE);

        assertThat(report.isVerified()).as(report.toString()).isTrue();
        assertThat(report.export().anyBatch()).isFalse();
        assertThat(report.gains().batches()).extracting(Gains.Batch::size).containsExactly(5);
    }

    /** Ten samples in parts of two, three, and all: the network makes 39 elements of a sample. */
    @Test
    void export_samplesInParts_findsTheSameAsOfAllAtOnce() throws IOException {
        List<Verification> found = new ArrayList<>();
        List<Long> seen = new ArrayList<>();
        List<Long> last = new ArrayList<>();
        for (long elementsAtOnce : new long[] {1, 3 * 39, Long.MAX_VALUE}) {
            ExportReport report =
                    export(
                            network(
                                    x -> {
                                        seen.add(x.size(0));
                                        return x;
                                    }),
                            untimed(),
                            (e, q, samples) ->
                                    new QuantizedExport(
                                                    e,
                                                    new QuantizedExport.Settings(
                                                            1,
                                                            0,
                                                            List.of(),
                                                            Verification.Limits.STANDARD,
                                                            false,
                                                            false,
                                                            false,
                                                            elementsAtOnce),
                                                    q,
                                                    samples)
                                            .write(file()),
                            new Shape(10, 6));
            found.add(report.verification());
            last.add(seen.get(seen.size() - 1));
        }

        // Ten are 2, 2, 2, 2, 2; 3, 3, 4; 10.
        assertThat(last).as("rows of the last part").containsExactly(2L, 4L, 10L);
        assertThat(found.get(0).session().samples()).isEqualTo(10);
        // 10 rows of 6 inputs and of 16 between the layers
        assertThat(found.get(0).whole().elements()).isEqualTo(220);
        assertThat(found.get(0).saturation().sums()).isPositive();
        assertThat(found).as("by the size of the parts").containsOnly(found.get(2));
    }

    /** A linear layer, and a state whose batch axis is the second. */
    private static final class WithState extends AbstractBlock {

        private final Block linear = addChildBlock("linear", Linear.builder().setUnits(4).build());

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            NDArray y = linear.forward(store, new NDList(inputs.get(0)), training).head();
            return new NDList(y.add(inputs.get(1).sum(new int[] {0})));
        }

        @Override
        protected void initializeChildBlocks(
                NDManager manager, DataType dataType, Shape... inputShapes) {
            linear.initialize(manager, dataType, inputShapes[0]);
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return new Shape[] {new Shape(inputShapes[0].get(0), 4)};
        }
    }

    @Test
    void export_stateWithTheBatchSecond_isVerifiedAtAFixedBatch() throws IOException {
        ExportReport report =
                export(new WithState(), untimed().optFixedBatch(true), SHAPE, new Shape(3, 5, 4));

        assertThat(report.isVerified()).as(report.toString()).isTrue();
    }

    @Test
    void export_stateWithTheBatchSecond_atAnyBatchIsRefused() {
        assertThatThrownBy(() -> export(new WithState(), untimed(), SHAPE, new Shape(3, 5, 4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[(5, 6), (3, 5, 4)] have no common batch size")
                .hasMessageContaining("ask for a fixed batch");
    }

    @Test
    void export_emptySamples_areRefused() {
        assertThatThrownBy(
                        () ->
                                export(
                                        network(x -> x),
                                        untimed(),
                                        (e, q, s) ->
                                                e.exportQuantized(
                                                        q,
                                                        new NDList(
                                                                s.head()
                                                                        .getManager()
                                                                        .create(new Shape(0, 6))),
                                                        file()),
                                        SHAPE))
                .isInstanceOf(OnnxExportException.class)
                .hasMessageContaining("samples of shapes [(0, 6)]")
                .hasMessageContaining("expected at least one sample");
    }

    @Test
    void exportFloat_emptyBatch_isRefused() {
        Block block = new SequentialBlock().add(new FunctionBlock(in -> in));

        assertThatThrownBy(
                        () ->
                                OnnxExporter.builder()
                                        .build()
                                        .exportFloat(block, file(), new Shape(0, 6)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[(0, 6)]")
                .hasMessageContaining("expected a batch size of at least 1");
    }

    // ---- outputs

    @Test
    void export_integerOutputsOnly_isVerified() throws IOException {
        ExportReport report = export(network(x -> x.argMax(1)), untimed(), SHAPE);

        assertThat(report.isVerified()).as(report.toString()).isTrue();
        assertThat(report.verification().session().samples()).isEqualTo(5);
    }

    @Test
    void export_scalarOutput_isVerified() throws IOException {
        ExportReport report = export(network(NDArray::mean), untimed(), SHAPE);

        assertThat(report.isVerified()).as(report.toString()).isTrue();
    }

    @Test
    void export_oneSampleWithOneOutput_isVerified() throws IOException {
        Block block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(16).build())
                        .add(Activation.reluBlock())
                        .add(Linear.builder().setUnits(1).build());

        ExportReport report = export(block, untimed(), new Shape(1, 6));

        assertThat(report.isVerified()).as(report.toString()).isTrue();
    }

    // ---- weights

    /** A linear layer, and its weight once more as a factor. */
    private static final class WeightTwice extends AbstractBlock {

        private final Linear linear = addChildBlock("linear", Linear.builder().setUnits(6).build());

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            NDArray x = inputs.head();
            NDArray y = linear.forward(store, new NDList(x), training).head();
            NDArray weight =
                    store.getValue(linear.getParameters().get("weight"), x.getDevice(), training);
            return new NDList(y.add(x.mul(weight.get("0"))));
        }

        @Override
        protected void initializeChildBlocks(
                NDManager manager, DataType dataType, Shape... inputShapes) {
            linear.initialize(manager, dataType, inputShapes);
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return inputShapes;
        }
    }

    @Test
    void export_weightReadByALinearAndAnotherLayer_isStoredForBoth() throws IOException {
        ExportReport report = export(new WeightTwice(), untimed(), SHAPE);

        assertThat(report.isVerified()).as(report.toString()).isTrue();
        // The product beside the layer sees the float weight, as in the trained network.
        assertThat(report.notes()).isEmpty();
    }

    // ---- targets

    @Test
    void export_intoALinkedFolder_writes() throws IOException {
        Path real = Files.createDirectory(folder.resolve("real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);

        export(
                network(x -> x),
                untimed(),
                (e, q, samples) -> e.exportQuantized(q, samples, link.resolve("net.onnx")),
                SHAPE);

        assertThat(real.resolve("net.onnx")).isNotEmptyFile();
    }

    @ParameterizedTest
    @ValueSource(strings = {"folder", "file/net.onnx"})
    void export_whereNoFileCanBe_isRefusedBeforeAnyWork(String target) throws IOException {
        Files.createDirectory(folder.resolve("folder"));
        Files.createFile(folder.resolve("file"));
        // Would be refused for its operator, were it traced.
        Block block =
                new SequentialBlock().add(new FunctionBlock(in -> new NDList(in.head().erfinv())));

        assertThatThrownBy(
                        () ->
                                OnnxExporter.builder()
                                        .build()
                                        .exportFloat(block, folder.resolve(target), SHAPE))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("expected a");
        assertThatThrownBy(
                        () ->
                                export(
                                        network(NDArray::erfinv),
                                        untimed(),
                                        (e, q, samples) ->
                                                e.exportQuantized(
                                                        q, samples, folder.resolve(target)),
                                        SHAPE))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining("expected a");
    }
}
