package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.nni4j.fixtures.Networks;

/** What holds for the graph of every network, and for every network that was traced. */
class TracerLawsTest {

    private static final int SEED = 4711;

    /* One factory, one initialization per network: the large ones take longer to initialize than to trace. */
    @TestFactory
    Stream<DynamicTest> everyNetwork() {
        return Networks.all().stream()
                .map(
                        network ->
                                dynamicTest(
                                        network.name(),
                                        () -> {
                                            try (NDManager manager = NDManager.newBaseManager()) {
                                                laws(network, manager);
                                            }
                                        }));
    }

    private static void laws(Networks.Network network, NDManager manager) {
        Block block = network.initialized(manager);
        NDList inputs = network.arrays(manager);
        List<Long> before = fingerprint(block);
        List<byte[]> outputsBefore = predict(block, inputs);
        int arrays = manager.getManagedArrays().size();
        float[] drawn = draw(manager, () -> {});

        List<Graph> graphs = new ArrayList<>();
        float[] drawnAfter = draw(manager, () -> graphs.addAll(traces(network, block, inputs)));

        assertThat(fingerprint(block)).as("parameters, gradients and slots").isEqualTo(before);
        assertThat(drawnAfter).as("random numbers drawn after the traces").containsExactly(drawn);
        assertThat(manager.getManagedArrays()).as("arrays left behind").hasSize(arrays);
        assertThat(predict(block, inputs))
                .as("outputs")
                .usingElementComparator(Arrays::compare)
                .isEqualTo(outputsBefore);
        graphs.forEach(graph -> wellFormed(graph, block, outputsBefore.size()));
        assertThat(graphs.get(graphs.size() - 1).toString())
                .as("traced again")
                .isEqualTo(graphs.get(0).toString());
    }

    /* A training pass between two inference passes; one pass for the large networks, to save time. */
    private static List<Graph> traces(Networks.Network network, Block block, NDList inputs) {
        Graph first = GraphTracer.trace(block, inputs);
        if (Networks.LARGE.contains(network.name())) {
            return List.of(first);
        }
        Graph training = GraphTracer.builder().optTraining(true).build().traceBlock(block, inputs);
        return List.of(first, training, GraphTracer.trace(block, inputs));
    }

    private static void wellFormed(Graph graph, Block block, int outputs) {
        Set<Integer> made = new HashSet<>();
        graph.inputs().forEach(v -> made.add(v.id()));
        Set<ParameterRead> read = new HashSet<>();
        for (Node node : graph.nodes()) {
            for (Value value : node.inputs()) {
                boolean computed =
                        value.kind() == Value.Kind.COMPUTED || value.kind() == Value.Kind.INPUT;
                assertThat(!computed || made.contains(value.id()))
                        .as(node + " reads " + value)
                        .isTrue();
                value.parameter().ifPresent(read::add);
            }
            node.outputs().forEach(v -> made.add(v.id()));
            assertThat(node.op()).as("a canonical name").matches("[A-Z].*").isNotEqualTo("Native");
        }
        assertThat(graph.outputs()).hasSize(outputs);
        assertThat(graph.isStatic()).isTrue();
        assertThat(read)
                .as("parameters read")
                .hasSizeLessThanOrEqualTo(block.getParameters().size())
                .isNotEmpty();
    }

    /* Everything that must stay as it is, in one list: equality of long lists is what is compared, not their print. */
    private static List<Long> fingerprint(Block block) {
        List<Long> print = new ArrayList<>();
        addSlots(block, print);
        for (Pair<String, Parameter> entry : block.getParameters()) {
            NDArray array = entry.getValue().getArray();
            CRC32 bytes = new CRC32();
            bytes.update(array.toByteBuffer());
            print.add(bytes.getValue());
            print.add(array.hasGradient() ? 1L : 0L);
            print.add((long) System.identityHashCode(array.getManager()));
        }
        return print;
    }

    private static void addSlots(Block block, List<Long> print) {
        print.add((long) System.identityHashCode(block));
        block.getChildren().values().forEach(child -> addSlots(child, print));
    }

    private static List<byte[]> predict(Block block, NDList inputs) {
        try (NDManager manager = inputs.head().getManager().newSubManager()) {
            NDList copies = new NDList();
            inputs.forEach(
                    a -> {
                        NDArray copy = a.duplicate();
                        copy.attach(manager);
                        copies.add(copy);
                    });
            return block.forward(new ParameterStore(manager, false), copies, false).stream()
                    .map(NDArray::toByteArray)
                    .toList();
        }
    }

    private static float[] draw(NDManager manager, Runnable between) {
        Engine.getInstance().setRandomSeed(SEED);
        between.run();
        try (NDArray drawn = manager.randomNormal(new Shape(8))) {
            return drawn.toFloatArray();
        }
    }

    @TestFactory
    Stream<DynamicTest> everyNetwork_tracedByShapes_hasTheSameOperators() {
        return Stream.of("LeNet", "MobileNetV2", "LSTM2", "TransformerEncoder")
                .map(Networks::named)
                .map(
                        network ->
                                dynamicTest(
                                        network.name(),
                                        () ->
                                                with(
                                                        network,
                                                        (block, inputs) ->
                                                                assertThat(
                                                                                GraphTracer.trace(
                                                                                                block,
                                                                                                network
                                                                                                        .inputs())
                                                                                        .toString())
                                                                        .isEqualTo(
                                                                                GraphTracer.trace(
                                                                                                block,
                                                                                                inputs)
                                                                                        .toString()))));
    }

    @TestFactory
    Stream<DynamicTest> gradients_surviveATrace() {
        return Stream.of("LeNet", "LSTM", "SqueezeNet")
                .map(Networks::named)
                .map(n -> dynamicTest(n.name(), () -> with(n, TracerLawsTest::gradientsSurvive)));
    }

    private static void gradientsSurvive(Block block, NDList inputs) {
        List<Parameter> trained =
                block.getParameters().values().stream()
                        .filter(Parameter::requiresGradient)
                        .toList();
        trained.forEach(p -> p.getArray().setRequiresGradient(true));
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            ParameterStore store = new ParameterStore(inputs.head().getManager(), false);
            NDArray loss = block.forward(store, inputs, true).head().sum();
            GraphTracer.trace(block, inputs);
            GraphTracer.builder().optTraining(true).build().traceBlock(block, inputs);
            collector.backward(loss);
        }
        List<byte[]> gradients =
                trained.stream().map(p -> p.getArray().getGradient().toByteArray()).toList();

        GraphTracer.trace(block, inputs);

        List<byte[]> after =
                trained.stream().map(p -> p.getArray().getGradient().toByteArray()).toList();
        assertThat(after).usingElementComparator(Arrays::compare).isEqualTo(gradients);
        assertThat(gradients).anyMatch(g -> !Arrays.equals(g, new byte[g.length]));
    }

    private static void with(Networks.Network network, BiConsumer<Block, NDList> test) {
        try (NDManager manager = NDManager.newBaseManager()) {
            test.accept(network.initialized(manager, DataType.FLOAT32), network.arrays(manager));
        }
    }
}
