package org.nni4j.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.Dropout;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.OffQuantizer;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.graph.GraphTracer;
import org.nni4j.layer.LayerTree;

/** Whole networks, folded wherever the plan says, with quantizers that change nothing. */
class FoldedNetworksTest {

    private static final int SEED = 17;
    private static final int STEPS = 20;
    private static final int CLASSES = 5;

    /** Folds, and quantizes nothing. */
    private static final class OffAlgorithm implements QuantizationAlgorithm {
        @Override
        public String name() {
            return "off";
        }

        @Override
        public Capabilities capabilities() {
            return new Capabilities(
                    Map.of(QuantType.WEIGHT, new BitRange(8, 8)),
                    Set.of(),
                    false,
                    false,
                    true,
                    true,
                    Set.of());
        }

        @Override
        public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
            return new OffQuantizer();
        }
    }

    record Network(String name, Shape input, Supplier<Block> block) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Network> networks() {
        Shape picture = new Shape(4, 3, 16, 16);
        return Stream.of(
                new Network(
                        "ResNet-20",
                        picture,
                        () ->
                                ResNetV1.builder()
                                        .setNumLayers(20)
                                        .setImageShape(new Shape(3, 16, 16))
                                        .setOutSize(CLASSES)
                                        .build()),
                new Network("inverted residual", picture, FoldedNetworksTest::invertedResidual),
                new Network("residual add, dropout", picture, FoldedNetworksTest::residual));
    }

    /**
     * What MobileNetV2 is made of: expand, filter each channel, project, add. With ReLU in place of
     * its ReLU6, whose gradient DJL loses when garbage is collected before backward.
     */
    private static Block invertedResidual() {
        return new SequentialBlock()
                .add(conv())
                .add(BatchNorm.builder().build())
                .add(Activation.reluBlock())
                .add(
                        new ParallelBlock(
                                lists -> new NDList(lists.get(0).head().add(lists.get(1).head())),
                                List.of(
                                        new SequentialBlock()
                                                .add(pointwise(12))
                                                .add(BatchNorm.builder().build())
                                                .add(Activation.reluBlock())
                                                .add(
                                                        Conv2d.builder()
                                                                .setKernelShape(new Shape(3, 3))
                                                                .optPadding(new Shape(1, 1))
                                                                .setFilters(12)
                                                                .optGroups(12)
                                                                .optBias(false)
                                                                .build())
                                                .add(BatchNorm.builder().build())
                                                .add(Activation.reluBlock())
                                                .add(pointwise(6))
                                                .add(BatchNorm.builder().build()),
                                        Blocks.identityBlock())))
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(CLASSES).build());
    }

    private static Conv2d pointwise(int filters) {
        return Conv2d.builder()
                .setKernelShape(new Shape(1, 1))
                .setFilters(filters)
                .optBias(false)
                .build();
    }

    private static Block residual() {
        return new SequentialBlock()
                .add(conv())
                .add(BatchNorm.builder().build())
                .add(Activation.reluBlock())
                .add(Dropout.builder().optRate(0.3f).build())
                .add(
                        new ParallelBlock(
                                lists -> new NDList(lists.get(0).head().add(lists.get(1).head())),
                                List.of(
                                        new SequentialBlock()
                                                .add(conv())
                                                .add(BatchNorm.builder().build()),
                                        Blocks.identityBlock())))
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(CLASSES).build());
    }

    private static Conv2d conv() {
        return Conv2d.builder()
                .setKernelShape(new Shape(3, 3))
                .optPadding(new Shape(1, 1))
                .setFilters(6)
                .build();
    }

    private static Model model(Network network) {
        Engine.getInstance().setRandomSeed(SEED);
        Model model = Model.newInstance("folded");
        Block block = network.block().get();
        block.initialize(model.getNDManager(), DataType.FLOAT32, network.input());
        model.setBlock(block);
        return model;
    }

    private static Optimizer optimizer() {
        return Optimizer.sgd()
                .setLearningRateTracker(Tracker.fixed(0.01f))
                .optMomentum(0.9f)
                .build();
    }

    private static Trainer trainer(Model model, Optimizer optimizer) {
        return model.newTrainer(
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss()).optOptimizer(optimizer));
    }

    private static Quantizer quantizer(Model model, Network network) {
        ConfigList config =
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types", List.of("weight"),
                                        "quant_bits", 8,
                                        "op_types", List.of("Conv2d", "Linear"))));
        return new Quantizer(
                new OffAlgorithm(),
                model,
                config,
                optimizer(),
                QuantizerOptions.standard(),
                GraphTracer.trace(model, network.input()));
    }

    private static float step(Trainer trainer, Network network, int step) {
        // Dropout draws the same mask in both networks.
        Engine.getInstance().setRandomSeed(SEED + step);
        try (NDManager batch = trainer.getManager().newSubManager()) {
            NDArray x = batch.create(data(network.input(), step), network.input());
            NDArray labels = batch.arange(0, (int) network.input().get(0));
            float loss;
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList y = trainer.forward(new NDList(x));
                NDArray value =
                        trainer.getLoss()
                                .evaluate(new NDList(labels.toType(DataType.FLOAT32, false)), y);
                collector.backward(value);
                loss = value.toFloatArray()[0];
            }
            trainer.step();
            return loss;
        }
    }

    private static float[] data(Shape shape, int seed) {
        Random random = new Random(SEED + seed);
        float[] data = new float[(int) shape.size()];
        for (int i = 0; i < data.length; i++) {
            data[i] = (float) random.nextGaussian();
        }
        return data;
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
                Model folded = model(network);
                Quantizer quantizer = quantizer(folded, network)) {
            assertThat(quantizer.plan().unfolded()).isEmpty();
            assertThat(quantizer.plan().folds()).hasSize(batchNorms(folded));
            quantizer.compress();
            try (Trainer a = trainer(plain, optimizer());
                    Trainer b = trainer(folded, quantizer.optimizer())) {
                for (int i = 0; i < STEPS; i++) {
                    assertThat(step(b, network, i))
                            .as("loss of step %d, seed %d", i, SEED)
                            .isEqualTo(step(a, network, i));
                }
            }
            // Equal weights after 20 steps with momentum mean equal gradients in each.
            plain.getBlock()
                    .getParameters()
                    .forEach(
                            p ->
                                    assertThat(values(folded, p.getKey()))
                                            .as("%s, seed %d", p.getKey(), SEED)
                                            .isEqualTo(p.getValue().getArray().toFloatArray()));
            float[] expected = evaluate(plain, network);
            float[] actual = evaluate(folded, network);
            float largest = 0;
            for (float value : expected) {
                largest = Math.max(largest, Math.abs(value));
            }
            // Relative to the outputs' scale: logits near zero are differences of larger numbers.
            assertThat(actual).containsExactly(expected, within(1e-5f * largest));
        }
    }

    private static int batchNorms(Model model) {
        return (int)
                LayerTree.of(model).layers().stream()
                        .filter(layer -> layer.type().equals("BatchNorm"))
                        .count();
    }

    private static float[] values(Model model, String parameter) {
        return model.getBlock().getParameters().get(parameter).getArray().toFloatArray();
    }
}
