package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.fixtures.FunctionBlock;

/** What an export refuses, and says, and leaves behind. */
class OnnxExporterTest {

    @TempDir private Path folder;
    private NDManager manager;

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    private Path file() {
        return folder.resolve("net.onnx");
    }

    private static Block function(UnaryOperator<NDArray> function) {
        return new SequentialBlock()
                .add(new FunctionBlock(in -> new NDList(function.apply(in.head()))));
    }

    private OnnxExport export(Block block, OnnxExporter.Builder builder) throws IOException {
        return builder.build().exportFloat(block, file(), new Shape(2, 4));
    }

    private void assertRefused(Block block, String... messages) throws IOException {
        assertThatExceptionOfType(OnnxExportException.class)
                .isThrownBy(() -> export(block, OnnxExporter.builder()))
                .satisfies(e -> assertThat(e.problems()).hasSameSizeAs(messages))
                .withMessageContainingAll(messages);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).as("files left behind").isEmpty();
        }
    }

    @Test
    void operatorsWithoutMapping_areAllNamed() throws IOException {
        Block twice = function(x -> x.erfinv().add(x.gammaln()));

        assertRefused(
                twice,
                "01FunctionBlock.Erfinv1: operator Erfinv (Java method erfinv) has no ONNX mapping",
                "01FunctionBlock.Gammaln1: operator Gammaln (Java method gammaln) has no ONNX"
                        + " mapping");
    }

    @Test
    void attributesWithoutMapping_areNamedToo() throws IOException {
        assertRefused(
                function(x -> x.norm(1, new int[] {1}, true)),
                "01FunctionBlock.Norm1: Norm: ord 1; expected 2");
    }

    @Test
    void networkThatFailsAtOtherBatchSizes_isRefused() throws IOException {
        assertRefused(
                function(x -> x.reshape(2, 2, 2)),
                "no model for any batch size: layer \"01FunctionBlock\"");
    }

    @Test
    void randomNumbers_areRefused() throws IOException {
        assertRefused(
                function(x -> x.add(x.getManager().randomNormal(new Shape(1, 4)))),
                "random numbers from randomNormal");
    }

    @Test
    void shapesThatDependOnData_areRefused() throws IOException {
        assertRefused(
                function(NDArray::nonzero),
                "shape depends on data",
                "operator NonZero (Java method");
    }

    @Test
    void elementsReadIntoJava_areNoted() throws IOException {
        OnnxExport export =
                export(
                        function(x -> x.mul(x.max().getFloat() > 5 ? 2f : 3f)),
                        OnnxExporter.builder());

        assertThat(export.notes())
                .singleElement()
                .asString()
                .contains("read into Java by", "holds for this input");
    }

    @Test
    void otherFloatTypes_areRefused() throws IOException {
        assertRefused(function(x -> x.toType(DataType.FLOAT64, false)), "expected float32");
    }

    /* One slice per sample: at another batch size there are others. */
    private static Block perSample() {
        return function(
                x -> {
                    NDArray sum = x.get("0:1");
                    for (int i = 1; i < x.size(0); i++) {
                        sum = sum.add(x.get(i + ":" + (i + 1)));
                    }
                    return sum;
                });
    }

    @Test
    void operatorsThatFollowTheBatch_areRefused() throws IOException {
        assertRefused(perSample(), "no model for any batch size");
    }

    @Test
    void fixedBatch_isSaidSo() throws Exception {
        OnnxExport export = export(perSample(), OnnxExporter.builder().optFixedBatch(true));

        assertThat(export.anyBatch()).isFalse();
        try (OnnxRun run = new OnnxRun(file())) {
            NDList inputs = Agreement.normal(manager, 2, new Shape(2, 4));
            Agreement.assertClose("fixed batch", perSample(), run, inputs, 1e-6);
        }
    }

    @Test
    void inputsOfSeveralBatchSizes_areRefused() {
        Block block = new SequentialBlock().add(new FunctionBlock(in -> in));

        assertThatThrownBy(
                        () ->
                                OnnxExporter.builder()
                                        .build()
                                        .exportFloat(
                                                block, file(), new Shape(2, 3), new Shape(3, 3)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no common batch size");
    }

    @Test
    void refusedExport_leavesTheEarlierFile() throws IOException {
        Files.writeString(file(), "earlier");

        assertThatThrownBy(() -> export(function(NDArray::nonzero), OnnxExporter.builder()))
                .isInstanceOf(OnnxExportException.class);

        assertThat(file()).hasContent("earlier");
    }

    @Test
    void namesAndMetadata_areInTheFile() throws Exception {
        Block block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(3).build())
                        .add(Activation.reluBlock());
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 4));

        OnnxExport export =
                export(
                        block,
                        OnnxExporter.builder()
                                .optInputNames("pixels")
                                .optOutputNames("scores")
                                .optMetadata("data set", "MNIST"));

        assertThat(export.inputs()).containsExactly("pixels");
        assertThat(export.operators()).isEqualTo(Map.of("Gemm", 1, "Relu", 1));
        assertThat(export.bytes()).isEqualTo(Files.size(file()));
        try (OrtSession session =
                OrtEnvironment.getEnvironment().createSession(file().toString())) {
            assertThat(session.getInputNames()).containsExactly("pixels");
            assertThat(session.getOutputNames()).containsExactly("scores");
            assertThat(session.getMetadata().getProducerName()).isEqualTo("nni4j");
            assertThat(session.getMetadata().getCustomMetadata())
                    .containsEntry("data set", "MNIST");
        }
    }

    @Test
    void wrongNumberOfNames_isAnError() {
        assertThatThrownBy(
                        () ->
                                export(
                                        function(NDArray::exp),
                                        OnnxExporter.builder().optInputNames("a", "b")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 input names [a, b]; the network has 1 input");
    }

    @Test
    void outputsThatAreInputsOrTwins_areCopied() throws Exception {
        Block block =
                new SequentialBlock()
                        .add(
                                new FunctionBlock(
                                        in -> {
                                            NDArray y = in.head().exp();
                                            return new NDList(in.head(), y, y);
                                        }));

        export(block, OnnxExporter.builder());

        try (OnnxRun run = new OnnxRun(file())) {
            NDList inputs = Agreement.normal(manager, 3, new Shape(2, 4));
            Agreement.assertClose("three outputs", block, run, inputs, 1e-6);
        }
    }

    @Test
    void sharedLayer_isWrittenOnce() throws Exception {
        Block shared = Linear.builder().setUnits(4).build();
        Block block = new SequentialBlock().add(shared).add(Activation.reluBlock()).add(shared);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 4));

        OnnxExport export = export(block, OnnxExporter.builder());

        // Two products of one 4×4 weight: names, shapes and the rest take less than a second one
        // would.
        assertThat(export.operators()).containsEntry("Gemm", 2);
        try (OnnxRun run = new OnnxRun(file())) {
            NDList inputs = Agreement.normal(manager, 3, new Shape(2, 4));
            Agreement.assertClose("shared", block, run, inputs, 1e-6);
        }
    }

    @Test
    void sameNetwork_givesTheSameBytes() throws IOException {
        Block block = new SequentialBlock().add(Linear.builder().setUnits(4).build());
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 4));
        export(block, OnnxExporter.builder());
        byte[] first = Files.readAllBytes(file());

        export(block, OnnxExporter.builder());

        assertThat(Files.readAllBytes(file())).isEqualTo(first);
    }
}
