package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GraphViewsTest {

    private static final Map<String, String> MARKS =
            Map.of("01Linear.Linear1", "output int8", "input0", "input int8 \"u\"");

    private NDManager manager;
    private Graph graph;

    @BeforeEach
    void trace() {
        manager = NDManager.newBaseManager();
        Block half =
                new LambdaBlock(
                        in -> {
                            var x = in.head();
                            float sum = x.sum().getFloat();
                            return new NDList(
                                    x.mul(x.getManager().create(0.5f)).add(sum > 9 ? 1 : 0));
                        },
                        "half");
        Block net =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(3).build())
                        .add(Activation.reluBlock())
                        .add(half);
        Shape shape = new Shape(1, 2);
        net.initialize(manager, DataType.FLOAT32, shape);
        graph = GraphTracer.trace(net, shape);
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    @Test
    void toString_hasOneLinePerOperator() {
        assertThat(graph)
                .hasToString(
                        """
                        input0 (1, 2) float32
                        constant0 () float32 = create [0.5]
                        01Linear.Linear1 (1, 3) = Linear(input0, weight=01Linear.weight, bias=01Linear.bias)
                        02LambdaBlock.Relu1 (1, 3) = Relu(01Linear.Linear1)
                        half.Sum1 () = Sum(02LambdaBlock.Relu1, keepDims=false)
                        half.Mul1 (1, 3) = Mul(02LambdaBlock.Relu1, other=constant0)
                        half.Add1 (1, 3) = Add(half.Mul1, other=0)
                        return half.Add1
                        not static: half.Sum1: read into Java by getFloat in layer "half\"\
                        """
                                .replace("half.", "03LambdaBlock.")
                                .replace("\"half\"", "\"03LambdaBlock\""));
    }

    @Test
    void toString_marks_standBehindTheirOperator() {
        assertThat(graph.toString(MARKS))
                .contains("input0 (1, 2) float32   <- input int8 \"u\"\n")
                .contains("bias=01Linear.bias)   <- output int8\n");
    }

    @Test
    void toDot_hasVerticesEdgesAndMarks() {
        assertThat(graph.toDot(MARKS))
                .startsWith("digraph network {\n")
                .endsWith("}\n")
                .contains(
                        "\"input0\" -> \"01Linear.Linear1\" [label=\"(1, 2)\\n"
                                + "input int8 \\\"u\\\"\", color=")
                .contains(
                        "\"01Linear.Linear1\" -> \"02LambdaBlock.Relu1\" [label=\"(1, 3)\\n"
                                + "output int8\"")
                .contains("weight, bias\\noutput int8\", shape=box, style=filled")
                .contains("\"03LambdaBlock.Add1\" -> \"output0\"");
    }

    @Test
    void toMermaid_hasVerticesEdgesAndMarks() {
        assertThat(graph.toMermaid(MARKS))
                .startsWith("flowchart TD\n")
                .contains(
                        "  n0([\"input0<br/>(1, 2)<br/>input int8 #quot;u#quot;\"]):::quantized\n")
                .contains("  n0 -->|\"(1, 2)<br/>input int8 #quot;u#quot;\"| n1\n")
                .contains("  n1 -->|\"(1, 3)<br/>output int8\"| n2\n")
                .contains("classDef quantized");
    }

    @Test
    void find_unknownName_isEmpty() {
        assertThat(graph.find("no such node")).isEmpty();
    }

    @Test
    void nodesOf_areThoseOfTheLayer() {
        assertThat(graph.nodesOf("03LambdaBlock"))
                .extracting(Node::op)
                .containsExactly("Sum", "Mul", "Add");
    }

    @Test
    void values_areThereOnceEach() {
        assertThat(graph.values())
                .extracting(Value::name)
                .containsExactlyInAnyOrder(
                        "input0",
                        "01Linear.weight",
                        "01Linear.bias",
                        "constant0",
                        "01Linear.Linear1",
                        "02LambdaBlock.Relu1",
                        "03LambdaBlock.Sum1",
                        "03LambdaBlock.Mul1",
                        "03LambdaBlock.Add1");
    }
}
