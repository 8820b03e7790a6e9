package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv1d;
import ai.djl.nn.convolutional.Conv3d;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.RNN;
import ai.djl.nn.transformer.IdEmbedding;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.config.ConfigList;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.verification.Verification;
import org.nni4j.fixtures.FunctionBlock;

/** What is in the file of a quantized model. */
class StoredIntegersTest {

    private static final Shape PICTURE = new Shape(2, 16, 6, 6);

    private final NDManager manager = Engine.getEngine("PyTorch").newBaseManager();

    @TempDir private Path folder;

    @AfterEach
    void close() {
        manager.close();
    }

    private IntegerExport written(String config, OnnxExporter.Builder exporter, Block... blocks)
            throws IOException {
        return written(config, exporter, PICTURE, blocks);
    }

    private IntegerExport written(
            String config, OnnxExporter.Builder exporter, Shape shape, Block... blocks)
            throws IOException {
        SequentialBlock network = IntegerExport.initialized(manager, shape, blocks);
        IntegerExport export = IntegerExport.traced(network, config, shape, exporter, folder);
        assertThat(export.report().isVerified()).as(export.report().toString()).isTrue();
        return export;
    }

    private static Block[] convolutions() {
        return new Block[] {
            IntegerExport.convolution(16), Activation.reluBlock(), IntegerExport.convolution(16)
        };
    }

    private Map<String, TensorProto> initializers() throws IOException {
        return file().getGraph().getInitializerList().stream()
                .collect(Collectors.toMap(TensorProto::getName, t -> t));
    }

    private TensorProto initializer(String name) throws IOException {
        return Objects.requireNonNull(initializers().get(name), name);
    }

    private ModelProto file() throws IOException {
        return ModelProto.parseFrom(Files.readAllBytes(folder.resolve("small.onnx")));
    }

    @Test
    void export_eightBits_storesNoFloatsButScales() throws IOException {
        IntegerExport export =
                written(IntegerExport.LAYERS, OnnxExporter.builder(), convolutions());

        for (String layer : List.of("01Conv2d", "03Conv2d")) {
            TensorProto weight = initializer(layer + ".weight");
            assertThat(weight.getDataType()).isEqualTo(OnnxType.INT8.code());
            assertThat(weight.getRawData().size()).isEqualTo(16 * 16 * 3 * 3);
            assertThat(initializer(layer + ".bias").getDataType()).isEqualTo(OnnxType.INT32.code());
        }
        assertThat(initializers().values())
                .filteredOn(t -> t.getDataType() == OnnxType.FLOAT32.code())
                .as("scales, at most one for each of 16 channels")
                .allMatch(t -> t.getRawData().size() <= 16 * Float.BYTES);
        assertThat(export.report().export().bytes())
                .isEqualTo(Files.size(folder.resolve("small.onnx")));
    }

    /** A weight is a quarter; scales, biases and names are the rest. */
    @Test
    void export_eightBits_makesTheFileAQuarter() throws IOException {
        Shape wide = new Shape(2, 64, 4, 4);
        IntegerExport export =
                written(
                        IntegerExport.LAYERS,
                        OnnxExporter.builder(),
                        wide,
                        IntegerExport.convolution(64),
                        Activation.reluBlock(),
                        IntegerExport.convolution(64));

        double ratio =
                export.report().gains().floatBytes()
                        / (double) Files.size(folder.resolve("small.onnx"));
        assertThat(ratio).isBetween(3.7, 4.0);
    }

    @Test
    void export_fourBitWeights_storesTwoToAByte() throws IOException {
        String config =
                """
                [{"quant_types": ["weight", "input"], "quant_bits": {"weight": 4, "input": 8},
                  "op_types": ["Conv2d"]}]
                """;

        written(config, OnnxExporter.builder().optFourBitWeights(true), convolutions());

        TensorProto weight = initializer("01Conv2d.weight");
        assertThat(weight.getDataType()).isEqualTo(OnnxType.INT4.code());
        assertThat(weight.getRawData().size()).isEqualTo(16 * 16 * 3 * 3 / 2);
        assertThat(file().getOpsetImport(0).getVersion()).isEqualTo(21);
    }

    @Test
    void export_metadata_saysHowItWasQuantized() throws IOException {
        written(
                IntegerExport.LAYERS,
                OnnxExporter.builder().optMetadata("team", "vision"),
                convolutions());

        ModelProto model = file();
        Map<String, String> metadata =
                model.getMetadataPropsList().stream()
                        .collect(
                                Collectors.toMap(
                                        StringStringEntryProto::getKey,
                                        StringStringEntryProto::getValue));
        assertThat(metadata)
                .containsOnlyKeys("nni4j.algorithm", "nni4j.config", "nni4j.step", "team")
                .containsEntry("nni4j.algorithm", "observer")
                .containsEntry("nni4j.step", "1")
                .containsEntry("team", "vision");
        assertThat(ConfigList.fromJson(metadata.getOrDefault("nni4j.config", "")))
                .isEqualTo(ConfigList.fromJson(IntegerExport.LAYERS));
        assertThat(model.getProducerName()).isEqualTo("nni4j");
        assertThat(model.getProducerVersion()).isNotEmpty();
    }

    @Test
    void export_inputsAndOutputs_areNamedAndTakeAnyBatch() throws IOException {
        written(
                IntegerExport.LAYERS,
                OnnxExporter.builder().optInputNames("picture").optOutputNames("features"),
                convolutions());

        ModelProto model = file();
        for (ValueInfoProto value :
                List.of(model.getGraph().getInput(0), model.getGraph().getOutput(0))) {
            var shape = value.getType().getTensorType().getShape();
            assertThat(shape.getDim(0).getDimParam()).isNotEmpty();
            assertThat(shape.getDim(1).getDimValue()).isEqualTo(16);
        }
        assertThat(model.getGraph().getInput(0).getName()).isEqualTo("picture");
        assertThat(model.getGraph().getOutput(0).getName()).isEqualTo("features");
    }

    /** For runtimes without unsigned bytes; ONNX Runtime is no faster with it. */
    @Test
    void export_signedInputs_areAllSigned() throws IOException {
        String config =
                """
                [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Conv2d"],
                  "quant_dtype": "int",
                  "quant_scheme": {"weight": "per_channel_symmetric",
                                   "input": "per_tensor_symmetric"}}]
                """;

        IntegerExport export = written(config, OnnxExporter.builder(), convolutions());

        ModelProto model = file();
        Map<String, TensorProto> stored = initializers();
        List<TensorProto> zeroPoints =
                model.getGraph().getNodeList().stream()
                        .filter(n -> n.getOpType().endsWith("antizeLinear"))
                        .map(n -> stored.get(n.getInput(2)))
                        .toList();
        assertThat(zeroPoints)
                .extracting(TensorProto::getDataType)
                .containsOnly(OnnxType.INT8.code(), OnnxType.INT32.code());
        assertThat(zeroPoints)
                .allSatisfy(z -> assertThat(z.getRawData().toByteArray()).containsOnly(0));
        assertThat(stored.values()).noneMatch(t -> t.getDataType() == OnnxType.UINT8.code());
        assertThat(export.report().floatLayers())
                .as("what ONNX Runtime makes of it")
                .anyMatch(f -> f.layer().equals("01Conv2d") && f.reason().contains("its ReLU"));
    }

    /** Beyond 64, two products with 255 leave 16 bits; unsigned weights move down to fit. */
    @ParameterizedTest
    @ValueSource(strings = {"per_channel_symmetric", "per_tensor_affine"})
    void export_sevenBitWeights_writesNoneBeyond64(String scheme) throws IOException {
        String config =
                """
                [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Conv2d"],
                  "quant_dtype": {"weight": "%s"}, "quant_scheme": {"weight": "%s"}}]
                """
                        .formatted(scheme.endsWith("affine") ? "uint" : "int", scheme);
        // drawn outputs have no clear first class
        OnnxExporter.Builder exporter =
                OnnxExporter.builder()
                        .optSevenBitWeights(true)
                        .optLimits(new Verification.Limits(0.02, 16, 0));

        ExportReport report = written(config, exporter, convolutions()).report();

        TensorProto weight = initializer("01Conv2d.weight");
        assertThat(weight.getDataType()).isEqualTo(OnnxType.INT8.code());
        for (byte q : weight.getRawData().toByteArray()) {
            assertThat((int) q).isBetween(-64, 64);
        }
        assertThat(report.verification().sevenBitSaturation().saturated()).isZero();
        assertThat(report.toString()).contains("weights of seven bits");
    }

    /** The written model is judged, and not only the one that was trained. */
    @Test
    void export_sevenBitWeightsBeyondTheLimits_isNotVerified() throws IOException {
        SequentialBlock network = IntegerExport.initialized(manager, PICTURE, convolutions());

        ExportReport report =
                IntegerExport.traced(
                                network,
                                IntegerExport.LAYERS,
                                PICTURE,
                                OnnxExporter.builder()
                                        .optSevenBitWeights(true)
                                        .optUnverified(true)
                                        .optLimits(new Verification.Limits(0.02, 0.4, 0)),
                                folder)
                        .report();

        assertThat(report.verification().isVerified()).as(report.toString()).isTrue();
        assertThat(report.isVerified()).isFalse();
        assertThat(report.problems()).singleElement().asString().contains("7-bit weights");
    }

    @Test
    void export_convolutionsOfOneAndThreeAxes_runInIntegers() throws IOException {
        IntegerExport one =
                written(
                        IntegerExport.LAYERS,
                        OnnxExporter.builder(),
                        new Shape(2, 4, 9),
                        line(),
                        Activation.reluBlock(),
                        line());
        assertThat(one.report().census().counts()).containsEntry("QLinearConv", 1);

        IntegerExport three =
                written(
                        IntegerExport.LAYERS,
                        OnnxExporter.builder(),
                        new Shape(2, 4, 4, 5, 6),
                        volume(),
                        Activation.reluBlock(),
                        volume());
        assertThat(three.report().census().counts()).containsEntry("QLinearConv", 1);
    }

    private static Block line() {
        return Conv1d.builder().setKernelShape(new Shape(3)).setFilters(4).build();
    }

    private static Block volume() {
        return Conv3d.builder().setKernelShape(new Shape(2, 2, 2)).setFilters(4).build();
    }

    /** The runtime has no integer operator for them; the file has the quantized values. */
    @ParameterizedTest
    @ValueSource(strings = {"GRU", "RNN", "IdEmbedding"})
    void export_weightsWithoutIntegerForm_areStoredInFloatAndSaySo(String type) throws IOException {
        String config =
                """
                [{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["%s"]}]
                """
                        .formatted(type);

        ExportReport report =
                switch (type) {
                    case "GRU" ->
                            recurrent(
                                    config, GRU.builder().setStateSize(4).setNumLayers(1).build());
                    case "RNN" ->
                            recurrent(
                                    config,
                                    RNN.builder()
                                            .setStateSize(4)
                                            .setNumLayers(1)
                                            .setActivation(RNN.Activation.TANH)
                                            .build());
                    default -> embedding(config);
                };

        assertThat(report.notes()).anyMatch(note -> note.contains("is stored in float"));
        assertThat(report.toString()).contains("note: weight ");
        assertThat(initializers().values()).noneMatch(t -> t.getDataType() == OnnxType.INT8.code());
    }

    private ExportReport recurrent(String config, Block block) throws IOException {
        return written(config, OnnxExporter.builder(), new Shape(2, 5, 4), block).report();
    }

    private ExportReport embedding(String config) throws IOException {
        Block indices =
                new FunctionBlock(
                        in ->
                                new NDList(
                                        in.head()
                                                .abs()
                                                .mul(2)
                                                .clip(0, 8)
                                                .toType(DataType.INT64, false)));
        Block embedding =
                new IdEmbedding.Builder().setDictionarySize(9).setEmbeddingSize(4).build();
        return written(config, OnnxExporter.builder(), new Shape(2, 5), indices, embedding)
                .report();
    }

    /** What the trace has to say is printed, too. */
    @Test
    void report_elementsReadIntoJava_arePrinted() throws IOException {
        Block reads =
                new FunctionBlock(
                        in -> new NDList(in.head().mul(in.head().max().getFloat() > 50 ? 2f : 3f)));

        ExportReport report =
                written(
                                IntegerExport.LAYERS,
                                OnnxExporter.builder(),
                                reads,
                                IntegerExport.convolution(8))
                        .report();

        assertThat(report.toString()).contains("note: ", "read into Java by", "this input");
    }
}
