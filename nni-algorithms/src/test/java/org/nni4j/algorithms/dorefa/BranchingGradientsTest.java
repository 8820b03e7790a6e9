package org.nni4j.algorithms.dorefa;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.NetworkExit;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;

/** Gradients stop and go on in networks whose branches part and meet again. */
class BranchingGradientsTest {

    /** Networks in which a backward pass comes to one operator from several sides. */
    enum Network {
        /** The skip goes around both convolutions, and the loss's pass with it. */
        RESIDUAL(new Shape(4, 3, 8, 8), "Conv2d") {
            @Override
            Block block() {
                return convolution(new SequentialBlock())
                        .add(Activation.reluBlock())
                        .add(residual())
                        .add(Activation.reluBlock())
                        .add(residual())
                        .add(Activation.reluBlock())
                        .add(Pool.globalAvgPool2dBlock())
                        .add(Blocks.batchFlattenBlock())
                        .add(Linear.builder().setUnits(5).build());
            }
        },
        /** One tensor is read by two layers whose gradients are quantized. */
        FORKED(new Shape(4, 6), "Linear") {
            @Override
            Block block() {
                return new SequentialBlock()
                        .add(Linear.builder().setUnits(8).build())
                        .add(Activation.tanhBlock())
                        .add(new ParallelBlock(BranchingGradientsTest::sum, List.of(one(), one())))
                        .add(Activation.tanhBlock());
            }

            private Block one() {
                return new SequentialBlock()
                        .add(Linear.builder().setUnits(5).build())
                        .add(Activation.sigmoidBlock());
            }
        },
        /** The branches part inside a function, where no layer's output is. */
        IN_A_FUNCTION(new Shape(4, 6), "Linear") {
            @Override
            Block block() {
                return new SequentialBlock()
                        .add(Linear.builder().setUnits(8).build())
                        .add(
                                new LambdaBlock(
                                        in -> {
                                            NDArray x = in.head().tanh();
                                            return new NDList(x, x.exp());
                                        }))
                        .add(
                                new ParallelBlockOfParts(
                                        Linear.builder().setUnits(5).build(),
                                        Linear.builder().setUnits(5).build()));
            }
        },
        /** Sequence, state and cell are all read, and all of one operator. */
        LSTM_STATES(new Shape(4, 3, 6), "LSTM") {
            @Override
            Block block() {
                LSTM lstm =
                        LSTM.builder()
                                .setNumLayers(1)
                                .setStateSize(5)
                                .optReturnState(true)
                                .optBatchFirst(true)
                                .build();
                return new SequentialBlock()
                        .add(Activation.tanhBlock())
                        .add(lstm)
                        .add(
                                new LambdaBlock(
                                        out ->
                                                new NDList(
                                                        out.get(0)
                                                                .sum(new int[] {1})
                                                                .add(out.get(1).squeeze(0))
                                                                .mul(last(out).squeeze(0)))))
                        .add(Linear.builder().setUnits(5).build());
            }
        },
        /** The network has two outputs, both of which the loss reads. */
        TWO_HEADS(new Shape(4, 6), "Linear") {
            @Override
            Block block() {
                return new SequentialBlock()
                        .add(Linear.builder().setUnits(8).build())
                        .add(Activation.tanhBlock())
                        .add(
                                new ParallelBlock(
                                        heads ->
                                                new NDList(
                                                        heads.get(0).head(), heads.get(1).head()),
                                        List.of(
                                                Linear.builder().setUnits(5).build(),
                                                Activation.sigmoidBlock())));
            }
        };

        @SuppressWarnings("ImmutableEnumChecker") // shapes never change
        private final Shape shape;

        private final String layer;

        Network(Shape shape, String layer) {
            this.shape = shape;
            this.layer = layer;
        }

        abstract Block block();

        DataType widest() {
            return this == LSTM_STATES ? DataType.FLOAT32 : DataType.FLOAT64;
        }

        Model model(DataType type) {
            Engine.getInstance().setRandomSeed(7);
            Model model = Model.newInstance(name());
            Block block = block();
            block.setInitializer(new XavierInitializer(), Parameter.Type.WEIGHT);
            block.initialize(model.getNDManager(), type, shape);
            model.setBlock(block);
            return model;
        }

        ConfigList config() {
            return ConfigList.fromMaps(
                    List.of(
                            Map.of(
                                    "quant_types", List.of("output"),
                                    "quant_bits", 8,
                                    "op_types", List.of(layer),
                                    "settings", Map.of("output_gradient", true))));
        }
    }

    /** Gives each of its inputs to a child of its own, and adds what they return. */
    private static final class ParallelBlockOfParts extends AbstractBlock {

        private final Block first;
        private final Block second;

        ParallelBlockOfParts(Block first, Block second) {
            this.first = addChildBlock("first", first);
            this.second = addChildBlock("second", second);
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList in,
                boolean training,
                @Nullable PairList<String, Object> params) {
            NDArray a = first.forward(store, new NDList(in.get(0)), training).head();
            NDArray b = second.forward(store, new NDList(in.get(1)), training).head();
            return new NDList(a.add(b));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return first.getOutputShapes(new Shape[] {shapes[0]});
        }

        @Override
        protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            first.initialize(manager, type, shapes[0]);
            second.initialize(manager, type, shapes[0]);
        }
    }

    private static SequentialBlock convolution(SequentialBlock block) {
        return block.add(
                        Conv2d.builder()
                                .setKernelShape(new Shape(3, 3))
                                .optPadding(new Shape(1, 1))
                                .setFilters(6)
                                // before a BatchNorm its gradient is nothing but rounding
                                .optBias(false)
                                .build())
                .add(BatchNorm.builder().build());
    }

    private static Block residual() {
        return new ParallelBlock(
                BranchingGradientsTest::sum,
                List.of(
                        convolution(convolution(new SequentialBlock()).add(Activation.reluBlock())),
                        Blocks.identityBlock()));
    }

    /** The LSTM names fewer shapes than it gives tensors. */
    private static NDArray last(NDList list) {
        return list.get(list.size() - 1);
    }

    private static NDList sum(List<NDList> branches) {
        return new NDList(NDArrays.add(branches.get(0).head(), branches.get(1).head()));
    }

    @ParameterizedTest
    @EnumSource(Network.class)
    void training_movesEveryParameter(Network network) {
        try (Model model = network.model(DataType.FLOAT32);
                DoReFaQuantizer quantizer =
                        new DoReFaQuantizer(model, network.config(), Networks.sgd(.1f))) {
            Map<String, float[]> before = learned(model);
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(network.shape);
                for (int step = 1; step <= 3; step++) {
                    step(trainer, network, step, quantizer);
                }
            }
            learned(model)
                    .forEach((name, v) -> assertThat(v).as(name).isNotEqualTo(before.get(name)));
        }
    }

    /**
     * With a change that is linear, backward passes inside one graph can say what is right: there,
     * {@code 2x - x} with its second part held fixed has the values of x and twice the gradient. In
     * float64 sums in another order agree to twelve digits; DJL's LSTM knows float32 only.
     */
    @ParameterizedTest
    @EnumSource(Network.class)
    void gradients_changedLinearly_areThoseOfOneGraph(Network network) {
        for (float factor : new float[] {1, 2}) {
            GradientCuts cuts = new GradientCuts();
            double tolerance = network.widest() == DataType.FLOAT64 ? 1e-12 : 1e-6;
            Map<String, double[]> expected =
                    gradients(
                            network,
                            (x, call) -> x.mul(factor).sub(x.stopGradient().mul(factor - 1)),
                            new GradientCuts());
            Map<String, double[]> found =
                    gradients(network, (x, call) -> cuts.cut(x, g -> g.mul(factor), call), cuts);
            assertThat(found).hasSameSizeAs(expected);
            expected.forEach(
                    (name, gradient) ->
                            assertThat(distance(found.get(name), gradient))
                                    .as("%s at factor %s", name, factor)
                                    .isLessThan(tolerance));
        }
    }

    /** The largest difference, as a part of the largest value. */
    private static double distance(double @Nullable [] found, double[] expected) {
        Objects.requireNonNull(found);
        double largest = 0;
        double apart = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            apart = Math.max(apart, Math.abs(expected[i] - found[i]));
        }
        assertThat(largest).isPositive();
        return apart / largest;
    }

    /** Gradients of the parameters and of the network's input. */
    private static Map<String, double[]> gradients(
            Network network,
            BiFunction<NDArray, ForwardContext, NDArray> atOutputs,
            GradientCuts cuts) {
        try (Model model = network.model(network.widest());
                AnyGradients quantizer = new AnyGradients(model, network, atOutputs, cuts);
                NDManager batch = model.getNDManager().newSubManager()) {
            quantizer.compress();
            Map<String, Parameter> parameters = new LinkedHashMap<>();
            model.getBlock()
                    .getParameters()
                    .forEach(
                            p -> {
                                if (p.getValue().requiresGradient()) {
                                    p.getValue().getArray().setRequiresGradient(true);
                                    parameters.put(p.getKey(), p.getValue());
                                }
                            });
            NDArray x =
                    batch.create(Networks.random(network.shape, 3), network.shape)
                            .toType(network.widest(), false);
            x.setRequiresGradient(true);
            ParameterStore store = new ParameterStore(batch, false);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                collector.backward(loss(model.getBlock().forward(store, new NDList(x), true)));
            }
            cuts.proceed();
            Map<String, double[]> gradients = new LinkedHashMap<>();
            gradients.put("the input", numbers(x.getGradient()));
            parameters.forEach(
                    (name, p) -> gradients.put(name, numbers(p.getArray().getGradient())));
            return gradients;
        }
    }

    private static double[] numbers(NDArray gradient) {
        return gradient.toType(DataType.FLOAT64, false).toDoubleArray();
    }

    /** DoReFa's quantizer, but for what is done at outputs. */
    private static final class AnyGradients extends Quantizer {
        AnyGradients(
                Model model,
                Network network,
                BiFunction<NDArray, ForwardContext, NDArray> atOutputs,
                GradientCuts cuts) {
            super(
                    new AnyGradient(atOutputs, cuts),
                    model,
                    network.config(),
                    Networks.sgd(.1f),
                    QuantizerOptions.standard());
        }
    }

    private record AnyGradient(
            BiFunction<NDArray, ForwardContext, NDArray> atOutputs, GradientCuts cuts)
            implements QuantizationAlgorithm {

        @Override
        public String name() {
            return "any gradient";
        }

        @Override
        public Capabilities capabilities() {
            return new DoReFaAlgorithm().capabilities();
        }

        @Override
        public Optional<NetworkExit> exit(List<QuantizationPoint> points) {
            return Optional.of(cuts::leave);
        }

        @Override
        public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
            return new TensorQuantizer() {
                @Override
                public NDArray quantize(NDArray tensor, ForwardContext call) {
                    return atOutputs.apply(tensor, call);
                }

                @Override
                public Optional<TensorCalibration> calibration() {
                    return Optional.empty();
                }

                @Override
                public void restore(TensorCalibration calibration) {}

                @Override
                public QuantizerState state() {
                    return new QuantizerState(Map.of(), Map.of());
                }

                @Override
                public void load(QuantizerState state) {}

                @Override
                public void close() {}
            };
        }
    }

    private static void step(
            Trainer trainer, Network network, long seed, DoReFaQuantizer quantizer) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDArray x = batch.create(Networks.random(network.shape, seed), network.shape);
                collector.backward(loss(trainer.forward(new NDList(x))));
            }
            quantizer.proceedBackward();
            trainer.step();
        }
    }

    /** Reads every output, each value with another weight. */
    private static NDArray loss(NDList outputs) {
        NDArray loss = outputs.head().getManager().create(0f);
        for (NDArray output : outputs) {
            NDArray weights = output.getManager().arange(1f, output.size() + 1f);
            loss = loss.add(output.flatten().mul(weights).mean());
        }
        return loss;
    }

    private static Map<String, float[]> learned(Model model) {
        Map<String, float[]> values = Networks.values(model.getBlock());
        model.getBlock()
                .getParameters()
                .forEach(
                        p -> {
                            if (!p.getValue().requiresGradient()) {
                                values.remove(p.getKey());
                            }
                        });
        return values;
    }
}
