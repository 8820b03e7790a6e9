package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.recurrent.LSTM;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nni4j.fixtures.FunctionBlock;
import org.nni4j.layer.LayerTree;
import org.nni4j.layer.LayerWrapper;

class GraphTracerTest {

    private NDManager manager;

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    private static LambdaBlock lambda(UnaryOperator<NDList> function) {
        return new LambdaBlock(function, "test");
    }

    private Graph trace(Block block, Shape... shapes) {
        block.initialize(manager, DataType.FLOAT32, shapes);
        return GraphTracer.trace(block, shapes);
    }

    private static List<String> ops(Graph graph) {
        return graph.nodes().stream().map(Node::op).toList();
    }

    @Test
    void trace_convolution_hasItsAttributes() {
        Block conv =
                Conv2d.builder()
                        .setKernelShape(new Shape(3, 5))
                        .setFilters(4)
                        .optStride(new Shape(2, 1))
                        .optPadding(new Shape(1, 2))
                        .optDilation(new Shape(1, 2))
                        .optGroups(2)
                        .build();

        Node node = trace(new SequentialBlock().add(conv), new Shape(1, 2, 16, 16)).nodes().get(0);

        assertThat(node.name()).isEqualTo("01Conv2d.Conv1");
        assertThat(node.layer()).isEqualTo("01Conv2d");
        assertThat(node.layerType()).isEqualTo("Conv2d");
        assertThat(node.attributes())
                .isEqualTo(
                        Map.of(
                                "stride", new Shape(2, 1),
                                "padding", new Shape(1, 2),
                                "dilation", new Shape(1, 2),
                                "groups", 2L));
        assertThat(node.input("weight").orElseThrow().shape()).isEqualTo(new Shape(4, 1, 3, 5));
        assertThat(node.parameters())
                .containsExactly(
                        new ParameterRead("01Conv2d", "weight"),
                        new ParameterRead("01Conv2d", "bias"));
    }

    @Test
    void trace_convolutionWithoutBias_readsTheWeightOnly() {
        Block conv =
                Conv2d.builder()
                        .setKernelShape(new Shape(1, 1))
                        .setFilters(4)
                        .optBias(false)
                        .build();

        Node node = trace(new SequentialBlock().add(conv), new Shape(1, 2, 4, 4)).nodes().get(0);

        assertThat(node.input("bias")).isEmpty();
        assertThat(node.parameters()).containsExactly(new ParameterRead("01Conv2d", "weight"));
    }

    @Test
    void trace_residualAdd_isANodeOfItsContainer() {
        Block identity = ai.djl.nn.Blocks.identityBlock();
        ParallelBlock residual =
                new ParallelBlock(
                        l ->
                                new NDList(
                                        l.get(0)
                                                .singletonOrThrow()
                                                .add(l.get(1).singletonOrThrow())));
        residual.add(Linear.builder().setUnits(4).build()).add(identity);

        Graph graph = trace(new SequentialBlock().add(residual), new Shape(2, 4));

        Node add = graph.find("01ParallelBlock.Add1").orElseThrow();
        assertThat(add.inputs())
                .containsExactly(graph.nodes().get(0).output(), graph.inputs().get(0));
        assertThat(graph.consumers(graph.inputs().get(0)))
                .extracting(Node::op)
                .containsExactly("Linear", "Add");
        assertThat(graph.producer(graph.outputs().get(0))).contains(add);
    }

    @Test
    void trace_rootThatIsALayer_isNamedAfterItsType() {
        Graph graph = trace(Linear.builder().setUnits(3).build(), new Shape(1, 2));

        assertThat(graph.nodes()).extracting(Node::name).containsExactly("Linear.Linear1");
    }

    @Test
    void trace_blockUsedTwice_numbersItsRuns() {
        Block shared = Linear.builder().setUnits(4).build();
        Graph graph =
                trace(
                        new SequentialBlock().add(shared).add(Activation.reluBlock()).add(shared),
                        new Shape(1, 4));

        assertThat(graph.nodes())
                .extracting(Node::name)
                .containsExactly("01Linear.Linear1", "02LambdaBlock.Relu1", "01Linear.Linear2");
        assertThat(graph.nodes()).extracting(Node::run).containsExactly(0, 0, 1);
        assertThat(graph.nodes()).extracting(Node::occurrence).containsExactly(1, 1, 1);
    }

    @Test
    void trace_inPlaceOperator_isSeenByLaterUses() {
        Graph graph =
                trace(
                        lambda(
                                in -> {
                                    var x = in.head().mul(2);
                                    x.addi(in.head());
                                    return new NDList(x.exp());
                                }),
                        new Shape(3));

        Node add = graph.nodes().get(1);
        assertThat(add.inPlace()).isTrue();
        assertThat(add.op()).isEqualTo("Add");
        assertThat(graph.nodes().get(2).inputs()).containsExactly(add.output());
        assertThat(graph.isStatic()).isTrue();
    }

    @Test
    void trace_overwrittenView_isNotStatic() {
        Graph graph =
                trace(
                        lambda(
                                in -> {
                                    var x = in.head().mul(2);
                                    x.get(":, 0").addi(1);
                                    return new NDList(x.exp());
                                }),
                        new Shape(2, 3));

        assertThat(graph.readbacks())
                .extracting(Readback::kind)
                .containsExactly(Readback.Kind.OVERWRITTEN_VIEW);
    }

    @Test
    void trace_slices_areBeginEndAndStepPerAxis() {
        Graph graph =
                trace(
                        lambda(in -> new NDList(in.head().get("1, :, 0:4:2, -1"))),
                        new Shape(2, 3, 4, 5));

        Node slice = graph.nodes().get(0);
        assertThat(slice.op()).isEqualTo("Slice");
        assertThat(slice.attributes())
                .containsEntry("begin", List.of(1L, 0L, 0L, 4L))
                .containsEntry("end", List.of(2L, 3L, 4L, 5L))
                .containsEntry("step", List.of(1L, 1L, 2L, 1L))
                .containsEntry("squeeze", List.of(0L, 3L))
                .containsEntry("index", "1, :, 0:4:2, -1");
        assertThat(slice.output().shape()).isEqualTo(new Shape(3, 2));
    }

    @Test
    void trace_setBySlice_isAnInPlaceNode() {
        Graph graph =
                trace(
                        lambda(
                                in -> {
                                    var x = in.head().duplicate();
                                    x.set(new NDIndex("0, 1:"), 5f);
                                    x.set(new NDIndex("1"), y -> y.mul(3));
                                    return new NDList(x);
                                }),
                        new Shape(2, 3));

        assertThat(ops(graph)).containsExactly("Identity", "SetSlice", "Slice", "Mul", "SetSlice");
        assertThat(graph.nodes().get(1).attributes())
                .containsEntry("value", 5f)
                .containsEntry("index", "0, 1:");
        assertThat(graph.outputs()).containsExactly(graph.nodes().get(4).output());
    }

    @Test
    void trace_indexByArray_isAGather() {
        Graph graph =
                trace(
                        lambda(
                                in ->
                                        new NDList(
                                                in.head()
                                                        .get(
                                                                ":, {}",
                                                                in.head()
                                                                        .getManager()
                                                                        .create(
                                                                                new long[] {
                                                                                    2, 0
                                                                                })))),
                        new Shape(2, 3));

        Node gather = graph.nodes().get(0);
        assertThat(gather.op()).isEqualTo("Gather");
        assertThat(gather.attributes()).containsEntry("axis", 1L);
        assertThat(gather.inputs())
                .extracting(Value::kind)
                .containsExactly(Value.Kind.INPUT, Value.Kind.CONSTANT);
    }

    @Test
    void trace_concatAndSplit_haveAllOperands() {
        Graph graph =
                trace(
                        lambda(
                                in -> {
                                    NDList halves = in.head().split(2, 1);
                                    return new NDList(
                                            NDArrays.concat(
                                                    new NDList(
                                                            halves.get(1),
                                                            halves.get(0),
                                                            in.head()),
                                                    1));
                                }),
                        new Shape(2, 4));

        Node split = graph.nodes().get(0);
        assertThat(split.outputs())
                .extracting(Value::name)
                .containsExactly("test.Split1", "test.Split1:1");
        assertThat(split.attributes()).containsEntry("sections", 2L).containsEntry("axis", 1L);
        Node concat = graph.nodes().get(1);
        assertThat(concat.inputs())
                .containsExactly(
                        split.outputs().get(1), split.outputs().get(0), graph.inputs().get(0));
        assertThat(concat.roles()).containsExactly("arrays[0]", "arrays[1]", "arrays[2]");
    }

    @Test
    void trace_constant_keepsItsElements() {
        Graph graph =
                trace(
                        lambda(
                                in ->
                                        new NDList(
                                                in.head()
                                                        .mul(
                                                                in.head()
                                                                        .getManager()
                                                                        .create(
                                                                                new float[] {
                                                                                    1, 2, 3
                                                                                })))),
                        new Shape(2, 3));

        Constant constant = graph.nodes().get(0).inputs().get(1).constant().orElseThrow();
        float[] elements = new float[3];
        constant.buffer().orElseThrow().asFloatBuffer().get(elements);
        assertThat(elements).containsExactly(1, 2, 3);
    }

    @Test
    void trace_arrayHeldByTheNetwork_isACapturedConstant() {
        var held = manager.create(new float[] {1, 2, 3});
        Graph graph = trace(lambda(in -> new NDList(in.head().add(held))), new Shape(2, 3));

        assertThat(graph.nodes().get(0).inputs().get(1).constant().orElseThrow().method())
                .isEqualTo(Constant.CAPTURED);
    }

    @Test
    void trace_operatorOnAnArrayHeldByTheNetwork_isANativeNode() {
        var held = manager.create(new float[] {1, 2, 3});
        Graph graph = trace(lambda(in -> new NDList(held.add(in.head()).exp())), new Shape(2, 3));

        // The result of add is an ordinary array, so exp is out of sight too.
        assertThat(ops(graph)).containsExactly("Native");
        assertThat(graph.nodes().get(0).method()).isEqualTo("JniUtils.add");
        assertThat(graph.nodes().get(0).inputs()).containsExactly(graph.inputs().get(0));
        assertThat(graph.isStatic()).isFalse();
    }

    @Test
    void trace_valueReadIntoJava_isOnTheGraph() {
        Graph graph =
                trace(
                        lambda(
                                in ->
                                        in.head().sum().getFloat() > 0
                                                ? new NDList(in.head().neg())
                                                : in),
                        new Shape(2, 3));

        assertThat(ops(graph)).containsExactly("Sum", "Neg");
        assertThat(graph.readbacks())
                .containsExactly(
                        new Readback(
                                Readback.Kind.READ,
                                graph.nodes().get(0).output(),
                                "getFloat",
                                "test",
                                1));
    }

    @Test
    void trace_dataDependentShape_isOnTheGraph() {
        Graph graph = trace(lambda(in -> new NDList(in.head().nonzero())), new Shape(2, 3));

        assertThat(graph.readbacks())
                .extracting(Readback::kind)
                .containsExactly(Readback.Kind.DATA_DEPENDENT_SHAPE);
    }

    @Test
    void trace_unknownOperator_isKeptByNameAndArguments() {
        Graph graph = trace(lambda(in -> new NDList(in.head().diff(1, 1))), new Shape(2, 3));

        Node node = graph.nodes().get(0);
        assertThat(node.op()).isEqualTo("diff");
        assertThat(node.attributes().values()).containsExactly(1L, 1L);
    }

    @Test
    void trace_networkThatAsksForTheEnginesClass_isTraced() {
        Graph graph =
                trace(
                        lambda(
                                in -> {
                                    var array = (ai.djl.pytorch.engine.PtNDArray) in.head();
                                    return new NDList(array.exp());
                                }),
                        new Shape(2, 3));

        assertThat(ops(graph)).containsExactly("Exp");
    }

    @Test
    void trace_nativeCode_isANativeNode() {
        Block nativeCode =
                new FunctionBlock(
                        in -> {
                            var array = (ai.djl.pytorch.engine.PtNDArray) in.head();
                            return new NDList(ai.djl.pytorch.jni.JniUtils.exp(array));
                        });

        Graph graph =
                trace(
                        new SequentialBlock().add(nativeCode).add(Activation.reluBlock()),
                        new Shape(2));

        assertThat(graph.nodes())
                .extracting(Node::name)
                .containsExactly("01FunctionBlock.Native1", "02LambdaBlock.Relu1");
        assertThat(graph.nodes().get(1).inputs()).containsExactly(graph.nodes().get(0).output());
        assertThat(graph.readbacks())
                .extracting(Readback::kind)
                .containsExactly(Readback.Kind.ESCAPED);
    }

    @Test
    void trace_uninitialized_saysHow() {
        Block block = new SequentialBlock().add(Linear.builder().setUnits(3).build());

        assertThatThrownBy(() -> GraphTracer.trace(block, new Shape(1, 2)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "parameter \"01Linear.weight\" is not initialized; call"
                            + " block.initialize(manager, dataType, inputShapes) or load parameters"
                            + " before tracing");
    }

    @Test
    void traceBlock_optInitialize_initializes() {
        Block block = new SequentialBlock().add(Linear.builder().setUnits(3).build());

        Graph graph =
                GraphTracer.builder()
                        .optInitialize(manager)
                        .build()
                        .traceBlock(block, new Shape(1, 2));

        assertThat(block.isInitialized()).isTrue();
        assertThat(ops(graph)).containsExactly("Linear");
    }

    @Test
    void trace_failingLayer_isNamed() {
        // DJL 0.35.1 hands the weights of the two directions to PyTorch in the wrong order.
        Block lstm = LSTM.builder().setStateSize(8).setNumLayers(1).optBidirectional(true).build();

        assertThatThrownBy(() -> trace(new SequentialBlock().add(lstm), new Shape(2, 5, 4)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("layer \"01LSTM\" (LSTM) failed in the traced pass: ");
    }

    @Test
    void trace_shapeWithUnknownDimension_throws() {
        Block block = new SequentialBlock().add(BatchNorm.builder().build());
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 2));

        assertThatThrownBy(() -> GraphTracer.trace(block, new Shape(-1, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("input 0: shape (-1, 2) has an unknown dimension; give its size");
    }

    @Test
    void trace_quantizedNetwork_throws() {
        Block block = new SequentialBlock().add(Linear.builder().setUnits(3).build());
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        LayerTree tree = LayerTree.of(block);
        tree.attach(Map.of(tree.layers().get(0), inner -> new LayerWrapper(inner) {}));

        assertThatThrownBy(() -> GraphTracer.trace(block, new Shape(1, 2)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("the network is quantized");
    }
}
