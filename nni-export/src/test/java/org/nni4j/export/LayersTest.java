package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv1d;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.convolutional.Conv3d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.recurrent.RNN;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.fixtures.FunctionBlock;

/** Layers in the forms the test networks do not have: other ranks, groups, states, folds. */
class LayersTest {

    private static final int SEED = 11;

    /* Sums of at most some hundred products in float. */
    private static final double TOLERANCE = 2e-6;

    private record Case(String name, Block block, Shape... shapes) {}

    private static List<Case> cases(NDManager manager) {
        Shape line = new Shape(2, 4, 9);
        Shape picture = new Shape(2, 4, 7, 6);
        Shape volume = new Shape(2, 4, 5, 6, 4);
        Shape steps = new Shape(2, 5, 4);
        return List.of(
                new Case(
                        "Conv1d, dilation, no bias",
                        of(
                                Conv1d.builder()
                                        .setKernelShape(new Shape(3))
                                        .setFilters(6)
                                        .optDilation(new Shape(2))
                                        .optPadding(new Shape(1))
                                        .optBias(false)
                                        .build()),
                        line),
                new Case(
                        "Conv2d, groups, stride, asymmetric sizes",
                        of(
                                Conv2d.builder()
                                        .setKernelShape(new Shape(3, 2))
                                        .setFilters(6)
                                        .optGroups(2)
                                        .optStride(new Shape(2, 1))
                                        .optPadding(new Shape(1, 0))
                                        .build()),
                        picture),
                new Case(
                        "Conv3d and BatchNorm",
                        of(
                                Conv3d.builder()
                                        .setKernelShape(new Shape(2, 3, 2))
                                        .setFilters(3)
                                        .build(),
                                BatchNorm.builder().build()),
                        volume),
                new Case(
                        "Conv3d, groups, dilation, stride, padding",
                        of(
                                Conv3d.builder()
                                        .setKernelShape(new Shape(2, 3, 2))
                                        .setFilters(6)
                                        .optGroups(2)
                                        .optDilation(new Shape(2, 1, 3))
                                        .optStride(new Shape(1, 2, 1))
                                        .optPadding(new Shape(1, 0, 2))
                                        .build()),
                        volume),
                new Case(
                        "Conv2d without bias, BatchNorm without scale and center",
                        of(
                                Conv2d.builder()
                                        .setKernelShape(new Shape(3, 3))
                                        .setFilters(5)
                                        .optBias(false)
                                        .build(),
                                BatchNorm.builder().optScale(false).optCenter(false).build(),
                                Activation.reluBlock()),
                        picture),
                new Case(
                        "Linear and BatchNorm",
                        of(Linear.builder().setUnits(5).build(), BatchNorm.builder().build()),
                        new Shape(2, 7)),
                new Case(
                        "Linear of rank 3, no bias",
                        of(Linear.builder().setUnits(5).optBias(false).build()),
                        steps),
                new Case(
                        "Linear of rank 4 and BatchNorm over its channels",
                        of(
                                Linear.builder().setUnits(5).build(),
                                BatchNorm.builder().optAxis(3).build()),
                        new Shape(2, 3, 2, 4)),
                new Case(
                        "BatchNorm alone, over the last axis",
                        of(BatchNorm.builder().optAxis(2).build()),
                        steps),
                new Case("LayerNorm", of(LayerNorm.builder().build()), picture),
                new Case(
                        "LSTM, steps first, no biases",
                        of(
                                LSTM.builder()
                                        .setStateSize(3)
                                        .setNumLayers(2)
                                        .optBatchFirst(false)
                                        .optHasBiases(false)
                                        .build()),
                        steps),
                new Case(
                        "LSTM with computed states",
                        of(
                                new FunctionBlock(LayersTest::withStates),
                                LSTM.builder()
                                        .setStateSize(3)
                                        .setNumLayers(2)
                                        .optReturnState(true)
                                        .build()),
                        steps),
                new Case(
                        "GRU that returns its state",
                        of(
                                GRU.builder()
                                        .setStateSize(3)
                                        .setNumLayers(2)
                                        .optReturnState(true)
                                        .build()),
                        steps),
                new Case(
                        "RNN that returns its state",
                        of(
                                RNN.builder()
                                        .setStateSize(3)
                                        .setNumLayers(1)
                                        .setActivation(RNN.Activation.TANH)
                                        .optReturnState(true)
                                        .build()),
                        steps),
                new Case("LSTM, both directions", directions(manager, "Lstm"), steps),
                new Case("GRU, both directions", directions(manager, "Gru"), steps),
                new Case("RNN, both directions", directions(manager, "Rnn"), steps));
    }

    private static SequentialBlock of(Block... blocks) {
        SequentialBlock all = new SequentialBlock();
        for (Block block : blocks) {
            all.add(block);
        }
        return all;
    }

    /* The first step is the state of one layer, the second that of the other. */
    private static NDList withStates(NDList in) {
        NDArray x = in.head();
        NDArray states = x.get(":, :2, :3").transpose(1, 0, 2);
        return new NDList(x, states, states.mul(x.getManager().create(0.5f)));
    }

    /* DJL's own bidirectional layers fail on the PyTorch engine; the engine's operators do not. Two layers. */
    private static Block directions(NDManager manager, String kind) {
        int hidden = 3;
        int gates = kind.equals("Lstm") ? 4 : kind.equals("Gru") ? 3 : 1;
        NDList parameters = new NDList();
        for (int layer = 0; layer < 2; layer++) {
            long inputs = layer == 0 ? 4 : 2 * hidden;
            for (int direction = 0; direction < 2; direction++) {
                long rows = (long) gates * hidden;
                for (Shape shape :
                        List.of(
                                new Shape(rows, inputs),
                                new Shape(rows, hidden),
                                new Shape(rows),
                                new Shape(rows))) {
                    parameters.add(manager.randomNormal(shape));
                }
            }
        }
        return of(
                new FunctionBlock(
                        in -> {
                            NDArray x = in.head();
                            Shape shape = new Shape(4, x.size(0), hidden);
                            NDArray h = x.getManager().zeros(shape);
                            var ex = x.getNDArrayInternal();
                            return switch (kind) {
                                case "Lstm" ->
                                        ex.lstm(
                                                x,
                                                new NDList(h, x.getManager().zeros(shape)),
                                                parameters,
                                                true,
                                                2,
                                                0,
                                                false,
                                                true,
                                                true);
                                case "Gru" ->
                                        ex.gru(x, h, parameters, true, 2, 0, false, true, true);
                                default ->
                                        ex.rnn(
                                                x,
                                                h,
                                                parameters,
                                                true,
                                                2,
                                                RNN.Activation.TANH,
                                                0,
                                                false,
                                                true,
                                                true);
                            };
                        }));
    }

    /** What the cases trace. */
    static Set<String> operators(NDManager manager) {
        Set<String> operators = new TreeSet<>();
        for (Case c : cases(manager)) {
            c.block().initialize(manager, DataType.FLOAT32, c.shapes());
            TracedNetwork.fixed(c.block(), Agreement.normal(manager, 2, c.shapes()))
                    .graph()
                    .nodes()
                    .forEach(node -> operators.add(node.op()));
        }
        return operators;
    }

    @TempDir private Path folder;

    @TestFactory
    Stream<DynamicTest> layer_agreesAtAnyBatch() {
        NDManager manager = NDManager.newBaseManager();
        Engine.getInstance().setRandomSeed(SEED);
        List<DynamicTest> tests = new ArrayList<>();
        for (Case c : cases(manager)) {
            tests.add(dynamicTest(c.name(), () -> agrees(c)));
        }
        return tests.stream().onClose(manager::close);
    }

    private void agrees(Case c) throws Exception {
        try (NDManager manager = NDManager.newBaseManager()) {
            Engine.getInstance().setRandomSeed(SEED);
            c.block().initialize(manager, DataType.FLOAT32, c.shapes());
            for (Parameter parameter : c.block().getParameters().values()) {
                NDArray array = parameter.getArray();
                boolean positive =
                        parameter.getType() == Parameter.Type.RUNNING_VAR
                                || parameter.getType() == Parameter.Type.GAMMA;
                NDArray drawn = manager.randomNormal(array.getShape());
                (positive ? drawn.abs().add(0.2f) : drawn).copyTo(array);
            }
            Path file = folder.resolve("layer.onnx");
            OnnxExport export =
                    OnnxExporter.builder()
                            .build()
                            .exportFloat(c.block(), file, Agreement.normal(manager, 2, c.shapes()));
            assertThat(export.operators().containsKey("BatchNormalization"))
                    .as("a BatchNorm behind a layer is folded")
                    .isEqualTo(c.name().startsWith("BatchNorm"));
            try (OnnxRun run = new OnnxRun(file)) {
                for (long batch : new long[] {1, 2, 3}) {
                    Agreement.assertClose(
                            c.name() + " at batch " + batch + ", seed " + SEED,
                            c.block(),
                            run,
                            Agreement.normal(manager, batch, c.shapes()),
                            TOLERANCE);
                }
            }
        }
    }
}
