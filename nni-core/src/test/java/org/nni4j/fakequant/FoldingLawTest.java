package org.nni4j.fakequant;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv1d;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.convolutional.Conv3d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.quantization.QuantizationKernels;

/** With quantizers that change nothing, a folded network is the network it was. */
class FoldingLawTest {

    private static final int SEED = 11;

    record Network(String name, Shape input, float epsilon, Supplier<SequentialBlock> block) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static SequentialBlock head(Block... blocks) {
        SequentialBlock network = new SequentialBlock();
        for (Block block : blocks) {
            network.add(block);
        }
        return network.add(Activation.reluBlock())
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(3).build());
    }

    static Stream<Arguments> networks() {
        return Stream.of(
                        new Network(
                                "Conv2d with bias",
                                new Shape(8, 3, 7, 7),
                                1e-5f,
                                () ->
                                        head(
                                                Conv2d.builder()
                                                        .setKernelShape(new Shape(3, 3))
                                                        .setFilters(4)
                                                        .build(),
                                                BatchNorm.builder().build())),
                        new Network(
                                "Conv2d without bias, strided and grouped",
                                new Shape(8, 4, 7, 7),
                                1e-3f,
                                () ->
                                        head(
                                                Conv2d.builder()
                                                        .setKernelShape(new Shape(3, 3))
                                                        .setFilters(6)
                                                        .optGroups(2)
                                                        .optStride(new Shape(2, 2))
                                                        .optBias(false)
                                                        .build(),
                                                BatchNorm.builder()
                                                        .optEpsilon(1e-3f)
                                                        .optMomentum(0.7f)
                                                        .build())),
                        new Network(
                                "BatchNorm without scale",
                                new Shape(8, 3, 7, 7),
                                1e-5f,
                                () ->
                                        head(
                                                Conv2d.builder()
                                                        .setKernelShape(new Shape(3, 3))
                                                        .setFilters(4)
                                                        .build(),
                                                BatchNorm.builder().optScale(false).build())),
                        new Network(
                                "BatchNorm without centre",
                                new Shape(8, 3, 7, 7),
                                1e-5f,
                                () ->
                                        head(
                                                Conv2d.builder()
                                                        .setKernelShape(new Shape(3, 3))
                                                        .setFilters(4)
                                                        .build(),
                                                BatchNorm.builder().optCenter(false).build())),
                        new Network(
                                "Conv1d",
                                new Shape(8, 3, 9),
                                1e-5f,
                                () ->
                                        head(
                                                Conv1d.builder()
                                                        .setKernelShape(new Shape(3))
                                                        .setFilters(4)
                                                        .build(),
                                                BatchNorm.builder().build())),
                        new Network(
                                "Conv3d",
                                new Shape(4, 2, 5, 5, 5),
                                1e-5f,
                                () ->
                                        head(
                                                Conv3d.builder()
                                                        .setKernelShape(new Shape(3, 3, 3))
                                                        .setFilters(4)
                                                        .build(),
                                                BatchNorm.builder().build())),
                        new Network(
                                "Linear",
                                new Shape(8, 5),
                                1e-5f,
                                () ->
                                        head(
                                                Linear.builder().setUnits(6).build(),
                                                BatchNorm.builder().build())))
                .map(Arguments::of);
    }

    private static Model model(Network network) {
        Engine.getInstance().setRandomSeed(SEED);
        Model model = Model.newInstance(network.name());
        SequentialBlock block = network.block().get();
        block.initialize(model.getNDManager(), DataType.FLOAT32, network.input());
        model.setBlock(block);
        return model;
    }

    private static void fold(Model model, float epsilon, long freezeStep) {
        LayerTree tree = LayerTree.of(model);
        Layer layer = tree.layers().get(0);
        Layer norm = tree.layers().get(1);
        Map<String, Parameter> p = norm.parameters();
        FoldedBatchNorm fold =
                new FoldedBatchNorm(
                        norm.path(),
                        norm.block(),
                        requireNonNull(p.get("gamma")),
                        requireNonNull(p.get("beta")),
                        requireNonNull(p.get("runningMean")),
                        requireNonNull(p.get("runningVar")),
                        epsilon,
                        freezeStep);
        StepClock clock = new StepClock();
        Map<Layer, Function<Block, Block>> wrappers = new LinkedHashMap<>();
        wrappers.put(
                layer,
                block ->
                        new QuantizedLayer(
                                block,
                                layer.path(),
                                0,
                                clock,
                                new OptimizerWatch(java.util.List.of(), clock),
                                QuantizationKernels.create("auto", model.getNDManager()),
                                Map.of(layer.weights().get(0), new OffQuantizer()),
                                fold,
                                false,
                                null,
                                null));
        wrappers.put(norm, AbsorbedBatchNorm::new);
        tree.attach(wrappers);
    }

    private static Trainer trainer(Model model) {
        return model.newTrainer(
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                        .optOptimizer(
                                Optimizer.sgd()
                                        .setLearningRateTracker(Tracker.fixed(0.05f))
                                        .optMomentum(0.9f)
                                        .build()));
    }

    private static float step(Trainer trainer, Network network, int step) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            NDArray x = batch.create(data(network.input(), step), network.input());
            NDArray labels = batch.create(labels((int) network.input().get(0)));
            float loss;
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList y = trainer.forward(new NDList(x));
                NDArray value = trainer.getLoss().evaluate(new NDList(labels), y);
                collector.backward(value);
                loss = value.toFloatArray()[0];
            }
            trainer.step();
            return loss;
        }
    }

    private static float[] data(Shape shape, int seed) {
        java.util.Random random = new java.util.Random(SEED + seed);
        float[] data = new float[(int) shape.size()];
        for (int i = 0; i < data.length; i++) {
            data[i] = (float) random.nextGaussian() * 2 + 0.3f;
        }
        return data;
    }

    private static float[] labels(int count) {
        float[] labels = new float[count];
        for (int i = 0; i < count; i++) {
            labels[i] = i % 3;
        }
        return labels;
    }

    private static float[] evaluate(Model model, Network network) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDArray x = manager.create(data(network.input(), 99), network.input());
            return model.getBlock()
                    .forward(new ParameterStore(manager, false), new NDList(x), false)
                    .head()
                    .toFloatArray();
        }
    }

    @ParameterizedTest
    @MethodSource("networks")
    void train_foldedWithQuantizersOff_isTheUnfoldedNetworkToTheBit(Network network) {
        try (Model plain = model(network);
                Model folded = model(network)) {
            fold(folded, network.epsilon(), 0);
            try (Trainer a = trainer(plain);
                    Trainer b = trainer(folded)) {
                for (int i = 0; i < 20; i++) {
                    assertThat(step(b, network, i))
                            .as("loss of step %d", i)
                            .isEqualTo(step(a, network, i));
                }
            }
            plain.getBlock()
                    .getParameters()
                    .forEach(
                            p ->
                                    assertThat(
                                                    folded.getBlock()
                                                            .getParameters()
                                                            .get(p.getKey())
                                                            .getArray()
                                                            .toFloatArray())
                                            .as(p.getKey())
                                            .isEqualTo(p.getValue().getArray().toFloatArray()));
            float[] expected = evaluate(plain, network);
            float[] actual = evaluate(folded, network);
            for (int i = 0; i < expected.length; i++) {
                // Folding moves a multiplication; each of a few dozen products may round once more.
                assertThat(actual[i])
                        .isCloseTo(expected[i], within(1e-5f * Math.max(1, Math.abs(expected[i]))));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("networks")
    void train_frozen_leavesTheStatisticsAndTrainsWhatEvaluationComputes(Network network) {
        try (Model folded = model(network)) {
            fold(folded, network.epsilon(), 1);
            float[] before = evaluate(folded, network);
            try (Trainer trainer = trainer(folded);
                    NDManager batch = trainer.getManager().newSubManager()) {
                NDArray x = batch.create(data(network.input(), 99), network.input());
                float[] training = trainer.forward(new NDList(x)).head().toFloatArray();
                assertThat(training).isEqualTo(before);
                step(trainer, network, 0);
            }
            Block norm = folded.getBlock().getChildren().get(1).getValue();
            norm.getParameters()
                    .forEach(
                            p -> {
                                float[] now = p.getValue().getArray().toFloatArray();
                                if (p.getKey().startsWith("running")) {
                                    float initial = p.getKey().equals("runningMean") ? 0 : 1;
                                    assertThat(now).containsOnly(initial);
                                }
                            });
        }
    }
}
