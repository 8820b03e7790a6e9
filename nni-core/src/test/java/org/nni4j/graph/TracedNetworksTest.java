package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.ConstantEmbedding;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.nn.transformer.BertPretrainingBlock;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nni4j.block.Concat;
import org.nni4j.block.ElementwiseAdd;
import org.nni4j.fixtures.FunctionBlock;
import org.nni4j.fixtures.Networks;

/** What is seen of particular networks. */
class TracedNetworksTest {

    private NDManager manager;

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    private Graph trace(Block block, Shape... shapes) {
        block.initialize(manager, DataType.FLOAT32, shapes);
        return GraphTracer.trace(block, shapes);
    }

    private static List<String> ops(Graph graph) {
        return graph.nodes().stream().map(Node::op).toList();
    }

    private static Block function(UnaryOperator<NDList> function) {
        return new SequentialBlock().add(new FunctionBlock(function));
    }

    @Test
    void severalInputsAndOutputs_areInOrder() {
        Block both = function(in -> new NDList(in.get(1), in.get(0).add(in.get(1)), in.get(0)));

        Graph graph = trace(both, new Shape(2), new Shape(2));

        assertThat(graph.inputs()).extracting(Value::name).containsExactly("input0", "input1");
        assertThat(graph.outputs())
                .extracting(Value::name)
                .containsExactly("input1", "01FunctionBlock.Add1", "input0");
    }

    @Test
    void ownBlocks_areOperators() {
        Graph graph =
                trace(
                        new SequentialBlock().add(new ElementwiseAdd()),
                        new Shape(1, 2),
                        new Shape(1, 2),
                        new Shape(1, 2));
        assertThat(graph.nodes())
                .extracting(Node::name)
                .containsExactly("01ElementwiseAdd.Add1", "01ElementwiseAdd.Add2");

        Graph concat =
                trace(new SequentialBlock().add(new Concat()), new Shape(1, 2), new Shape(1, 3));
        assertThat(concat.nodes().get(0).attributes()).containsEntry("axis", 1L);
    }

    @Test
    void parallelBranches_areJoined() {
        ParallelBlock block =
                new ParallelBlock(
                        l ->
                                new NDList(
                                        ai.djl.ndarray.NDArrays.concat(
                                                new NDList(l.get(0).head(), l.get(1).head()), 1)));
        block.add(Linear.builder().setUnits(2).build()).add(Linear.builder().setUnits(3).build());

        Graph graph = trace(new SequentialBlock().add(block), new Shape(1, 4));

        Node concat = graph.find("01ParallelBlock.Concat1").orElseThrow();
        assertThat(concat.inputs())
                .extracting(v -> graph.producer(v).orElseThrow().layerType())
                .containsOnly("Linear");
        assertThat(concat.output().shape()).isEqualTo(new Shape(1, 5));
    }

    @Test
    void halfPrecision_keepsItsType() {
        Block net =
                new SequentialBlock()
                        .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(4).build())
                        .add(Activation.reluBlock())
                        .add(ai.djl.nn.Blocks.batchFlattenBlock())
                        .add(Linear.builder().setUnits(2).build());
        Shape shape = new Shape(1, 3, 4, 4);
        // DJL's lambda blocks look for shapes in float32 while they are initialized, so the type
        // changes afterwards.
        net.initialize(manager, DataType.FLOAT32, shape);
        for (Parameter parameter : net.getParameters().values()) {
            NDArray half = parameter.getArray().toType(DataType.FLOAT16, true);
            parameter.close();
            parameter.setShape(null);
            parameter.setArray(half);
        }

        Graph graph = GraphTracer.trace(net, shape);

        assertThat(graph.values()).extracting(Value::dataType).containsOnly(DataType.FLOAT16);
    }

    @Test
    void constantEmbedding_isAConstant() {
        NDArray vector = manager.create(new float[] {1, 2, 3});

        Graph graph = trace(new SequentialBlock().add(new ConstantEmbedding(vector)), new Shape(1));

        Constant constant = graph.nodes().get(0).inputs().get(0).constant().orElseThrow();
        float[] elements = new float[3];
        constant.buffer().orElseThrow().asFloatBuffer().get(elements);
        assertThat(elements).containsExactly(1, 2, 3);
    }

    @Test
    void bertPretraining_isTraced() {
        BertBlock.Builder bert =
                BertBlock.builder().nano().setTokenDictionarySize(50).optMaxSequenceLength(6);
        Block block = new BertPretrainingBlock(bert);
        Shape tokens = new Shape(2, 6);
        Shape masked = new Shape(2, 2);
        block.initialize(manager, DataType.FLOAT32, tokens, tokens, tokens, masked);
        NDList inputs = new NDList();
        for (Shape shape : List.of(tokens, tokens, tokens, masked)) {
            inputs.add(manager.ones(shape, DataType.INT64));
        }

        Graph graph = GraphTracer.trace(block, inputs);

        assertThat(graph.outputs()).hasSize(2);
        assertThat(ops(graph))
                .contains("GatherNd", "MatMul", "Softmax", "LogSoftmax")
                .doesNotContain("Native");
    }

    @Test
    void recurrentLayer_hasItsParametersInOrder() {
        Graph graph =
                GraphTracer.trace(Networks.named("LSTM").initialized(manager), new Shape(2, 5, 4));

        Node lstm = graph.nodes().get(0);
        assertThat(lstm.parameters())
                .extracting(ParameterRead::name)
                .containsExactly(
                        "l_0_i2h_WEIGHT", "l_0_h2h_WEIGHT", "l_0_i2h_BIAS", "l_0_h2h_BIAS");
        assertThat(lstm.roles()).startsWith("input", "states[0]", "states[1]", "params[0]");
        assertThat(lstm.attributes())
                .containsEntry("numLayers", 1L)
                .containsEntry("batchFirst", true);
        Value state = lstm.input("states[0]").orElseThrow();
        assertThat(state.constant().orElseThrow().method()).isEqualTo("zeros");
    }

    @Test
    void ssd_namesTheLayersItKeepsInFields() {
        Graph graph =
                GraphTracer.trace(
                        Networks.named("SSD").initialized(manager), new Shape(1, 3, 64, 64));

        assertThat(graph.nodes())
                .filteredOn(n -> n.op().equals("Conv"))
                .allMatch(n -> n.layerType().equals("Conv2d"));
    }

    @Test
    void trainingTrace_usesBatchStatistics() {
        Block net =
                new SequentialBlock()
                        .add(BatchNorm.builder().build())
                        .add(Dropout.builder().build());
        net.initialize(manager, DataType.FLOAT32, new Shape(2, 3));

        Graph graph =
                GraphTracer.builder().optTraining(true).build().traceBlock(net, new Shape(2, 3));

        assertThat(graph.training()).isTrue();
        assertThat(graph.nodes())
                .allMatch(n -> Boolean.TRUE.equals(n.attributes().get("training")));
        assertThat(graph.nodes()).extracting(Node::op).containsExactly("BatchNorm", "Dropout");
    }

    @Test
    void drawsInsideForward_areSeenAndLeaveTheGeneratorAlone() {
        Block noisy =
                function(
                        in -> {
                            NDManager m = in.getManager();
                            NDArray noise =
                                    m.randomNormal(new Shape(2))
                                            .add(m.randomUniform(3, 4, new Shape(2)));
                            return new NDList(
                                    Dropout.dropout(in.head().add(noise), 0.5f, true).head());
                        });
        noisy.initialize(manager, DataType.FLOAT32, new Shape(2));
        Engine.getInstance().setRandomSeed(7);
        float[] expected = manager.randomUniform(0, 1, new Shape(4)).toFloatArray();

        Engine.getInstance().setRandomSeed(7);
        Graph graph = GraphTracer.trace(noisy, new Shape(2));

        assertThat(manager.randomUniform(0, 1, new Shape(4)).toFloatArray())
                .containsExactly(expected);
        assertThat(ops(graph)).containsExactly("Add", "Add", "Dropout");
        assertThat(graph.readbacks())
                .extracting(Readback::kind)
                .containsExactly(Readback.Kind.RANDOM, Readback.Kind.RANDOM);
    }

    @Test
    void scopeInsideForward_keepsWhatTheNetworkKeeps() {
        Block scoped =
                function(
                        in -> {
                            try (NDScope scope = new NDScope()) {
                                scope.suppressNotUsedWarning();
                                NDArray y = in.head().mul(2).add(1);
                                NDScope.unregister(y);
                                return new NDList(y);
                            }
                        });
        Block net = new SequentialBlock().add(scoped).add(Linear.builder().setUnits(2).build());

        assertThat(ops(trace(net, new Shape(1, 2)))).containsExactly("Mul", "Add", "Linear");
    }

    @Test
    void inputsOfTheCaller_areLeftAsTheyAre() {
        Block overwriting = function(in -> new NDList(in.head().addi(5)));
        NDArray input = manager.ones(new Shape(2));
        overwriting.initialize(manager, DataType.FLOAT32, new Shape(2));

        GraphTracer.trace(overwriting, new NDList(input));

        assertThat(input.toFloatArray()).containsExactly(1, 1);
    }

    @Test
    void cost_growsWithTheNumberOfOperators() {
        trace(chain(250), new Shape(1, 4));
        double small = seconds(chain(250));
        double large = seconds(chain(1000));

        // CPU time of this thread, so that other work on the machine does not count. Linear growth
        // is a factor of 4, and
        // quadratic one of 16; the constant keeps noise on a few milliseconds out.
        assertThat(large).isLessThan(10 * small + 0.05).isLessThan(2);
    }

    private static SequentialBlock chain(int length) {
        SequentialBlock chain = new SequentialBlock();
        for (int i = 0; i < length; i++) {
            chain.add(Activation.reluBlock());
        }
        return chain;
    }

    /* The best of several: garbage collection and compilation only ever add. */
    private double seconds(Block block) {
        Shape shape = new Shape(1, 4);
        block.initialize(manager, DataType.FLOAT32, shape);
        double best = Double.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            long begin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            assertThat(GraphTracer.trace(block, shape).nodes()).hasSizeGreaterThan(200);
            best =
                    Math.min(
                            best,
                            (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begin)
                                    / 1e9);
        }
        return best;
    }
}
