package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nni4j.layer.Attachment;
import org.nni4j.layer.LayerTree;
import org.nni4j.layer.LayerWrapper;

class GraphInterposerTest {

    private static final Interposition DOUBLED =
            Interposition.ofOutput((y, store, training) -> y.mul(2));

    private NDManager manager;

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    /* x -> join(2x, x): the linear layer multiplies by two. */
    private ParallelBlock residual(BinaryOperator<NDArray> join) {
        ParallelBlock block =
                new ParallelBlock(l -> new NDList(join.apply(l.get(0).head(), l.get(1).head())));
        return block.add(Linear.builder().setUnits(1).optBias(false).build())
                .add(Blocks.identityBlock());
    }

    private void initialize(Block block, Shape... shapes) {
        block.setInitializer(new ConstantInitializer(2), Parameter.Type.WEIGHT);
        block.initialize(manager, DataType.FLOAT32, shapes);
    }

    private NDArray run(Block block, NDArray... inputs) {
        return block.forward(new ParameterStore(manager, false), new NDList(inputs), false).head();
    }

    private NDArray column(float... values) {
        return manager.create(values, new Shape(values.length, 1));
    }

    private static Attachment attach(LayerTree tree, Node node, Interposition interposition) {
        return tree.attach(new GraphInterposer(tree).add(node, interposition).around(Map.of()));
    }

    @Test
    void output_isReplaced_forAnyBatchSize() {
        Block net = new SequentialBlock().add(residual(NDArray::add));
        initialize(net, new Shape(1, 1));
        Node add =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add1").orElseThrow();

        Attachment attachment = attach(LayerTree.of(net), add, DOUBLED);

        // (2x + x) · 2
        assertThat(run(net, column(1, 2, 3)).toFloatArray()).containsExactly(6, 12, 18);
        attachment.detach();
        assertThat(run(net, column(1, 2, 3)).toFloatArray()).containsExactly(3, 6, 9);
    }

    @Test
    void inputs_areReplaced() {
        Block net = new SequentialBlock().add(residual(NDArray::add));
        initialize(net, new Shape(1, 1));
        Node add =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add1").orElseThrow();

        attach(
                LayerTree.of(net),
                add,
                Interposition.ofInputs(
                        Map.of(0, (x, s, t) -> x.mul(10), 1, (x, s, t) -> x.mul(100))));

        // 2x · 10 + x · 100
        assertThat(run(net, column(1, 2)).toFloatArray()).containsExactly(120, 240);
    }

    @Test
    void concatInputs_areReplacedByPosition() {
        Block net =
                new SequentialBlock()
                        .add(residual((a, b) -> NDArrays.concat(new NDList(a, b, a), 1)));
        initialize(net, new Shape(1, 1));
        Node concat =
                GraphTracer.trace(net, new Shape(1, 1))
                        .find("01ParallelBlock.Concat1")
                        .orElseThrow();

        attach(
                LayerTree.of(net),
                concat,
                Interposition.ofInputs(
                        Map.of(0, (x, s, t) -> x.mul(10), 1, (x, s, t) -> x.mul(100))));

        assertThat(run(net, column(1)).toFloatArray()).containsExactly(20, 100, 2);
    }

    @Test
    void inPlaceOperator_isReplaced_andLaterUsesSeeIt() {
        Block net =
                new SequentialBlock()
                        .add(
                                residual(
                                        (a, b) -> {
                                            a.addi(b);
                                            return a.mul(1);
                                        }));
        initialize(net, new Shape(1, 1));
        Node add =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add1").orElseThrow();

        attach(LayerTree.of(net), add, DOUBLED);

        assertThat(run(net, column(1)).toFloatArray()).containsExactly(6);
    }

    @Test
    void secondOperatorOfItsKind_isTheOneReplaced() {
        Block net = new SequentialBlock().add(residual((a, b) -> a.add(b).add(1).add(b)));
        initialize(net, new Shape(1, 1));
        Node second =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add2").orElseThrow();

        attach(LayerTree.of(net), second, DOUBLED);

        // (3x + 1) · 2 + x
        assertThat(run(net, column(1)).toFloatArray()).containsExactly(9);
    }

    @Test
    void gradients_flowThroughTheFunctions() {
        Block net = new SequentialBlock().add(residual(NDArray::mul));
        initialize(net, new Shape(1, 1));
        Node mul =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Mul1").orElseThrow();
        attach(LayerTree.of(net), mul, DOUBLED);
        Parameter weight = net.getParameters().valueAt(0);
        weight.getArray().setRequiresGradient(true);

        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDArray y = net.forward(store, new NDList(column(3)), true).head();
            collector.backward(y.sum());
        }

        // y = 2 (w x) x, so dy/dw = 2 x²
        assertThat(weight.getArray().getGradient().toFloatArray()).containsExactly(18);
    }

    /** A user's root block that adds in its own forwardInternal, to a parameter of its own. */
    private static final class UserNet extends AbstractBlock {
        private final Parameter scale =
                addParameter(
                        Parameter.builder()
                                .setName("scale")
                                .setType(Parameter.Type.WEIGHT)
                                .build());
        private final Block linear =
                addChildBlock("linear", Linear.builder().setUnits(1).optBias(false).build());

        @Override
        public void prepare(Shape[] shapes) {
            scale.setShape(new Shape(1));
        }

        @Override
        protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            linear.initialize(manager, type, shapes);
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            NDArray s = store.getValue(scale, inputs.head().getDevice(), training);
            NDArray x = linear.forward(store, inputs, training).head();
            return new NDList(s.mul(x).add(inputs.head()));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return shapes;
        }
    }

    @Test
    void root_isInterposedThroughTheModel() {
        try (Model model = Model.newInstance("net")) {
            Block net = new UserNet();
            initialize(net, new Shape(1, 1));
            model.setBlock(net);
            Graph graph = GraphTracer.trace(model, new Shape(1, 1));
            assertThat(graph.nodes())
                    .extracting(Node::name)
                    .containsExactly("01linear.Linear1", "Mul1", "Add1");
            LayerTree tree = LayerTree.of(model);

            Attachment attachment = attach(tree, graph.find("Mul1").orElseThrow(), DOUBLED);

            // 2 (2 · 2x) + x
            assertThat(run(model.getBlock(), column(1)).toFloatArray()).containsExactly(9);
            attachment.detach();
            assertThat(model.getBlock()).isSameAs(net);
        }
    }

    /** Remembers the classes of the arrays that came in. */
    private static final class Spy extends LayerWrapper {
        private final List<Class<?>> seen;

        Spy(Block inner, List<Class<?>> seen) {
            super(inner);
            this.seen = seen;
        }

        @Override
        protected NDList intercept(
                ParameterStore store,
                NDList inputs,
                boolean training,
                @Nullable PairList<String, Object> params) {
            seen.add(inputs.head().getClass());
            return proceed(store, inputs, training, params);
        }
    }

    @Test
    void around_otherWrappers_seeOrdinaryArrays() {
        Block net = new SequentialBlock().add(residual(NDArray::add));
        initialize(net, new Shape(1, 1));
        Node add =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add1").orElseThrow();
        LayerTree tree = LayerTree.of(net);
        List<Class<?>> seen = new ArrayList<>();
        Map<org.nni4j.layer.Layer, java.util.function.Function<Block, Block>> others =
                Map.of(
                        tree.find("01ParallelBlock").orElseThrow(), b -> new Spy(b, seen),
                        tree.find("01ParallelBlock.01Linear").orElseThrow(), b -> new Spy(b, seen));

        tree.attach(new GraphInterposer(tree).add(add, DOUBLED).around(others));

        assertThat(run(net, column(1)).toFloatArray()).containsExactly(6);
        Class<?> ordinary = column(1).getClass();
        assertThat(seen).containsExactly(ordinary, ordinary);
    }

    @Test
    void nestedContainers_areBothInterposed() {
        ParallelBlock outer =
                new ParallelBlock(l -> new NDList(l.get(0).head().add(l.get(1).head())));
        outer.add(new SequentialBlock().add(residual(NDArray::add))).add(Blocks.identityBlock());
        Block net = new SequentialBlock().add(outer);
        initialize(net, new Shape(1, 1));
        Graph graph = GraphTracer.trace(net, new Shape(1, 1));
        LayerTree tree = LayerTree.of(net);
        GraphInterposer interposer = new GraphInterposer(tree);
        graph.nodes().stream()
                .filter(n -> n.op().equals("Add"))
                .forEach(n -> interposer.add(n, DOUBLED));

        tree.attach(interposer.around(Map.of()));

        // ((2x + x) · 2 + x) · 2
        assertThat(run(net, column(1)).toFloatArray()).containsExactly(14);
    }

    @Test
    void layerUsedTwice_hasItsFunctionInBothRuns() {
        Block shared = residual(NDArray::add);
        Block net = new SequentialBlock().add(shared).add(shared);
        initialize(net, new Shape(1, 1));
        Graph graph = GraphTracer.trace(net, new Shape(1, 1));
        LayerTree tree = LayerTree.of(net);
        GraphInterposer interposer =
                new GraphInterposer(tree)
                        .add(graph.find("01ParallelBlock.Add1").orElseThrow(), DOUBLED);
        Node secondRun = graph.find("01ParallelBlock.Add2").orElseThrow();

        assertThatThrownBy(() -> interposer.add(secondRun, DOUBLED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "node \"01ParallelBlock.Add2\": the operator is interposed already; runs of"
                                + " one layer share it");

        tree.attach(interposer.around(Map.of()));
        // 6 · 6 x
        assertThat(run(net, column(1)).toFloatArray()).containsExactly(36);
    }

    @Test
    void threads_doNotDisturbEachOther() throws Exception {
        Block net = new SequentialBlock().add(residual((a, b) -> a.add(b).add(b)));
        initialize(net, new Shape(1, 1));
        Node second =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add2").orElseThrow();
        attach(LayerTree.of(net), second, DOUBLED);

        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<float[]>> tasks = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                float x = i;
                tasks.add(() -> run(net, column(x)).toFloatArray());
            }
            List<Future<float[]>> results = threads.invokeAll(tasks);
            for (int i = 0; i < 40; i++) {
                assertThat(results.get(i).get()).containsExactly(8 * i);
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void add_positionTheNodeDoesNotHave_throws() {
        Block net = new SequentialBlock().add(residual(NDArray::add));
        initialize(net, new Shape(1, 1));
        Node add =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add1").orElseThrow();
        GraphInterposer interposer = new GraphInterposer(LayerTree.of(net));

        assertThatThrownBy(
                        () ->
                                interposer.add(
                                        add, Interposition.ofInputs(Map.of(2, (x, s, t) -> x))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("node \"01ParallelBlock.Add1\" has no input 2; it has 2");
    }

    @Test
    void identityFunctions_leaveOutputsBitIdentical() {
        Block net =
                new SequentialBlock().add(residual((a, b) -> a.add(b).mul(b).get(":, 0").exp()));
        initialize(net, new Shape(1, 1));
        Graph graph = GraphTracer.trace(net, new Shape(1, 1));
        float[] before = run(net, column(0.3f, 0.7f)).toFloatArray();
        LayerTree tree = LayerTree.of(net);
        GraphInterposer interposer = new GraphInterposer(tree);
        graph.nodesOf("01ParallelBlock")
                .forEach(n -> interposer.add(n, Interposition.ofOutput((y, s, t) -> y)));

        tree.attach(interposer.around(Map.of()));

        assertThat(run(net, column(0.3f, 0.7f)).toFloatArray()).containsExactly(before);
    }

    @Test
    void scopeAroundThePass_keepsWhatTheCallerKeeps() {
        Block net = new SequentialBlock().add(residual(NDArray::add));
        initialize(net, new Shape(1, 1));
        Node add =
                GraphTracer.trace(net, new Shape(1, 1)).find("01ParallelBlock.Add1").orElseThrow();
        attach(LayerTree.of(net), add, DOUBLED);
        NDArray kept;
        NDArray closed;

        try (NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            kept = run(net, column(1));
            closed = run(net, column(2));
            NDScope.unregister(kept);
        }

        assertThat(kept.toFloatArray()).containsExactly(6);
        assertThat(closed.isReleased()).isTrue();
    }
}
