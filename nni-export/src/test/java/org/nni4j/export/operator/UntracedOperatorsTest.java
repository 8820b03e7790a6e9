package org.nni4j.export.operator;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Blocks;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.OnnxFile;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxVersion;
import org.nni4j.graph.Constant;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/**
 * Operators that DJL's PyTorch engine does not compute, so that no trace has them there: other
 * engines do. The graphs are built by hand, and the numbers are.
 */
class UntracedOperatorsTest {

    private static Value value(int id, String name, Shape shape) {
        return new Value(id, name, Value.Kind.COMPUTED, shape, DataType.FLOAT32, null, null);
    }

    private static Value constant(int id, String name, Shape shape, float... elements) {
        ByteBuffer data = ByteBuffer.allocate(elements.length * 4).order(ByteOrder.nativeOrder());
        data.asFloatBuffer().put(elements);
        Constant constant = new Constant(Constant.CAPTURED, Map.of(), data.array());
        return new Value(id, name, Value.Kind.CONSTANT, shape, DataType.FLOAT32, null, constant);
    }

    private static float[] run(
            String op,
            Shape in,
            float[] x,
            Shape out,
            Map<String, Object> attributes,
            Value... more)
            throws Exception {
        Value input = new Value(0, "input0", Value.Kind.INPUT, in, DataType.FLOAT32, null, null);
        Value output = value(1, op + "1", out);
        List<Value> inputs = new ArrayList<>(List.of(input));
        List<String> roles = new ArrayList<>(List.of("input"));
        for (Value value : more) {
            inputs.add(value);
            roles.add(value.name());
        }
        Node node =
                new Node(
                        0,
                        op + "1",
                        op,
                        op,
                        "",
                        "",
                        0,
                        1,
                        inputs,
                        roles,
                        List.of(output),
                        attributes,
                        false);
        Graph graph = new Graph(List.of(node), List.of(input), List.of(output), List.of(), false);
        OnnxGraph onnx = new OnnxGraph(OnnxVersion.STANDARD);
        TracedNetwork network = TracedNetwork.of(graph, Blocks.identityBlock());
        NetworkEmitter emitter =
                new NetworkEmitter(network, onnx, EmissionHooks.FLOAT, List.of("x"));
        assertThat(emitter.unmapped()).isEmpty();
        assertThat(emitter.emit(List.of("y"))).isEmpty();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(OnnxFile.bytes(onnx, "test", "test"));
                OnnxTensor tensor =
                        OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), in.getShape());
                OrtSession.Result result = session.run(Map.of("x", tensor))) {
            OnnxTensor made = (OnnxTensor) result.get(0);
            assertThat(made.getInfo().getShape()).isEqualTo(out.getShape());
            float[] elements = new float[made.getFloatBuffer().remaining()];
            made.getFloatBuffer().get(elements);
            return elements;
        }
    }

    @Test
    void transposedConvolution_addsTheKernelAtEachPosition() throws Exception {
        // x = (1, 2), kernel (1, 10, 100), stride 2: 1·k at 0..2 and 2·k at 2..4, and the bias of
        // 0.5 everywhere.
        // Padding 1 takes the first and the last away, output padding 1 puts one back at the end.
        float[] y =
                run(
                        "ConvTranspose",
                        new Shape(1, 1, 2),
                        new float[] {1, 2},
                        new Shape(1, 1, 4),
                        Map.of(
                                "stride", new Shape(2),
                                "padding", new Shape(1),
                                "outPadding", new Shape(1),
                                "dilation", new Shape(1),
                                "groups", 1L),
                        constant(2, "weight", new Shape(1, 1, 3), 1, 10, 100),
                        constant(3, "bias", new Shape(1), 0.5f));

        // Sums 1, 10, 100 + 2, 20, 200.
        assertThat(y).containsExactly(10.5f, 102.5f, 20.5f, 200.5f);
    }

    private static float[] transposed(
            Shape in, float[] x, Shape out, Map<String, Object> attributes, Value weight)
            throws Exception {
        return run("ConvTranspose", in, x, out, attributes, weight);
    }

    private static Map<String, Object> window(Shape dilation, long groups) {
        int axes = dilation.dimension();
        Shape ones = axes == 1 ? new Shape(1) : new Shape(1, 1);
        Shape zeros = axes == 1 ? new Shape(0) : new Shape(0, 0);
        return Map.of(
                "stride", ones,
                "padding", zeros,
                "outPadding", zeros,
                "dilation", dilation,
                "groups", groups);
    }

    @Test
    void transposedConvolution_inGroups_keepsChannelsApart() throws Exception {
        // (1, 2) with (1, 10), and (3, 4) with (100, 1000).
        float[] y =
                transposed(
                        new Shape(1, 2, 2),
                        new float[] {1, 2, 3, 4},
                        new Shape(1, 2, 3),
                        window(new Shape(1), 2),
                        constant(2, "weight", new Shape(2, 1, 2), 1, 10, 100, 1000));

        assertThat(y).containsExactly(1, 10 + 2, 20, 300, 3000 + 400, 4000);
    }

    @Test
    void transposedConvolution_dilated_spreadsTheKernel() throws Exception {
        // The kernel is (1, 0, 10).
        float[] y =
                transposed(
                        new Shape(1, 1, 2),
                        new float[] {1, 2},
                        new Shape(1, 1, 4),
                        window(new Shape(2), 1),
                        constant(2, "weight", new Shape(1, 1, 2), 1, 10));

        assertThat(y).containsExactly(1, 2, 10, 20);
    }

    @Test
    void transposedConvolution_ofPictures_hasTwoAxes() throws Exception {
        float[] y =
                transposed(
                        new Shape(1, 1, 1, 2),
                        new float[] {1, 2},
                        new Shape(1, 1, 2, 3),
                        window(new Shape(1, 1), 1),
                        constant(2, "weight", new Shape(1, 1, 2, 2), 1, 10, 100, 1000));

        assertThat(y).containsExactly(1, 10 + 2, 20, 100, 1000 + 200, 2000);
    }

    @Test
    void batchDot_multipliesMatricesOneByOne() throws Exception {
        float[] y =
                run(
                        "BatchDot",
                        new Shape(2, 1, 2),
                        new float[] {1, 2, 3, 4},
                        new Shape(2, 1, 1),
                        Map.of(),
                        constant(2, "other", new Shape(2, 2, 1), 1, 10, 100, 1000));

        assertThat(y).containsExactly(1 + 20, 300 + 4000);
    }

    @Test
    void prelu_hasOneSlopePerChannel() throws Exception {
        float[] y =
                run(
                        "Prelu",
                        new Shape(1, 2, 2),
                        new float[] {-1, 2, -3, -4},
                        new Shape(1, 2, 2),
                        Map.of(),
                        constant(2, "alpha", new Shape(2), 0.5f, 0.25f));

        assertThat(y).containsExactly(-0.5f, 2, -0.75f, -1);
    }

    @Test
    void prelu_hasOneSlopeForAll() throws Exception {
        float[] y =
                run(
                        "Prelu",
                        new Shape(1, 2, 2),
                        new float[] {-1, 2, -3, -4},
                        new Shape(1, 2, 2),
                        Map.of(),
                        constant(2, "alpha", new Shape(1), 0.5f));

        assertThat(y).containsExactly(-0.5f, 2, -1.5f, -2);
    }
}
