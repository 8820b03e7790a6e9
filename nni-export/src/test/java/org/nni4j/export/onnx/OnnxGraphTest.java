package org.nni4j.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The graph under construction and its tensors. */
class OnnxGraphTest {

    private final OnnxGraph graph = new OnnxGraph(OnnxVersion.STANDARD);

    private ModelProto model() {
        return graph.model("test", "1");
    }

    @Test
    void takenName_getsANumber() {
        assertThat(graph.unique("a")).isEqualTo("a");
        assertThat(graph.unique("a")).isEqualTo("a_2");
        assertThat(graph.unique("a_2")).isEqualTo("a_2_2");
    }

    @Test
    void initializerOfATakenName_isAnError() {
        graph.input("x", OnnxType.FLOAT32, List.of("batch"));

        assertThatThrownBy(() -> graph.initializer("x", TensorData.longs(new long[] {1}, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("initializer name \"x\" is taken; expected another");
    }

    @Test
    void equalConstants_areOneInitializer() {
        assertThat(graph.scalar(2)).isEqualTo(graph.scalar(2)).isNotEqualTo(graph.scalar(3));
        assertThat(graph.longs(2)).isNotEqualTo(graph.constant(TensorData.longs(new long[] {2})));
        assertThat(model().getGraph().getInitializerCount()).isEqualTo(4);
    }

    @Test
    void output_renamesTheValueEverywhere() {
        graph.input("x", OnnxType.FLOAT32, List.of("batch", "3"));
        String y = graph.node("Exp", "y", List.of("x"));
        graph.node("Neg", "z", List.of(y));

        graph.output(y, "result", OnnxType.FLOAT32, List.of("batch", "3"));

        List<NodeProto> nodes = model().getGraph().getNodeList();
        assertThat(nodes.get(0).getOutput(0)).isEqualTo("result");
        assertThat(nodes.get(1).getInput(0)).isEqualTo("result");
    }

    @Test
    void sizes_areNumbersOrSymbols() {
        graph.input("x", OnnxType.INT64, List.of("batch", "3"));

        GraphProto written = model().getGraph();
        var shape = written.getInput(0).getType().getTensorType().getShape();
        assertThat(shape.getDim(0).getDimParam()).isEqualTo("batch");
        assertThat(shape.getDim(1).getDimValue()).isEqualTo(3);
    }

    @Test
    void foreignDomain_isImported() {
        graph.nodes("com.microsoft", "DynamicQuantizeLSTM", List.of("y"), List.of("x"));

        assertThat(model().getOpsetImportList())
                .extracting(o -> o.getDomain() + " " + o.getVersion())
                .containsExactly(" 17", "com.microsoft 1");
    }

    @Test
    void fourBits_arePackedLowHalfFirst() {
        TensorData data = TensorData.bytes(OnnxType.INT4, new byte[] {1, -1, 7}, 3);

        // 1 and 0xF in the first byte, 7 in the second.
        assertThat(data.bytes().toByteArray()).containsExactly(0xF1, 0x07);
    }

    @Test
    void fourBits_needOpset21() {
        TensorData data = TensorData.bytes(OnnxType.INT4, new byte[] {1, -1}, 2);

        assertThatThrownBy(() -> graph.initializer("w", data))
                .hasMessage("type INT4 needs opset 21; the model has opset 17");
        OnnxGraph later = new OnnxGraph(OnnxVersion.FOUR_BIT);
        later.initializer("w", data);
        assertThat(later.model("test", "1").getIrVersion()).isEqualTo(10);
    }

    @Test
    void elementsThatDoNotFitTheShape_areAnError() {
        assertThatThrownBy(() -> TensorData.floats(new float[3], 2, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("tensor of type FLOAT32 and shape [2, 2]: 12 bytes; expected 16");
    }

    @Test
    void twoGibibytes_areTooMany() {
        OnnxFile.checkSize(Integer.MAX_VALUE);

        assertThatThrownBy(() -> OnnxFile.checkSize(1L << 31))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2147483648 bytes; expected less than 2 GiB");
    }
}
