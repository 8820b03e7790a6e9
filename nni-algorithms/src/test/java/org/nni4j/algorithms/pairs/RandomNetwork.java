package org.nni4j.algorithms.pairs;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.modality.nlp.DefaultVocabulary;
import ai.djl.modality.nlp.embedding.TrainableWordEmbedding;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.transformer.TransformerEncoderBlock;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * A small network drawn from a seed: on pictures, vectors, sequences or words; with branches,
 * nested and shared blocks, normalization, recurrence and attention. Equal seeds give equal
 * networks with equal parameters.
 */
final class RandomNetwork {

    private static final int BATCH = 3;
    private static final int CHANNELS = 2;
    private static final int SIDE = 6;
    private static final int LENGTH = 4;
    private static final int FEATURES = 4;
    private static final List<String> WORDS = List.of("a", "b", "c", "d");

    private enum Kind {
        PICTURES(new Shape(BATCH, CHANNELS, SIDE, SIDE)),
        VECTORS(new Shape(BATCH, FEATURES)),
        SEQUENCES(new Shape(BATCH, LENGTH, FEATURES)),
        WORDS(new Shape(BATCH));

        @SuppressWarnings("ImmutableEnumChecker") // shapes never change
        private final Shape input;

        Kind(Shape input) {
            this.input = input;
        }
    }

    private final long seed;
    private final Kind kind;

    RandomNetwork(long seed) {
        this.seed = seed;
        // Random's first number hardly depends on a small seed.
        this.kind = Kind.values()[new SplittableRandom(seed).nextInt(Kind.values().length)];
    }

    /** A new model of the network. */
    Model model() {
        Engine.getInstance().setRandomSeed((int) seed);
        Model model = Model.newInstance("random" + seed);
        SequentialBlock block =
                new Draw(new Random(new SplittableRandom(seed).nextLong())).network();
        block.initialize(model.getNDManager(), DataType.FLOAT32, kind.input);
        model.setBlock(block);
        return model;
    }

    Shape inputShape() {
        return kind.input;
    }

    /** A batch; owned by the manager. */
    NDArray batch(NDManager manager, long which) {
        Random random = new Random(seed * 31 + which);
        float[] values = new float[(int) kind.input.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] =
                    kind == Kind.WORDS
                            ? random.nextInt(WORDS.size())
                            : (float) random.nextGaussian();
        }
        NDArray batch = manager.create(values, kind.input);
        return kind == Kind.WORDS ? batch.toType(DataType.INT64, false) : batch;
    }

    @Override
    public String toString() {
        return kind + " of seed " + seed;
    }

    /** Draws blocks; none but the last layers changes a tensor's shape. */
    private final class Draw {

        private final Random random;

        Draw(Random random) {
            this.random = random;
        }

        SequentialBlock network() {
            SequentialBlock network = new SequentialBlock();
            if (kind == Kind.WORDS) {
                network.add(new TrainableWordEmbedding(new DefaultVocabulary(WORDS), FEATURES));
            }
            fill(network, 2 + random.nextInt(4), 0);
            if (kind == Kind.PICTURES && random.nextBoolean()) {
                network.add(Pool.avgPool2dBlock(new Shape(2, 2), new Shape(2, 2)));
            }
            if (kind != Kind.SEQUENCES || random.nextBoolean()) {
                network.add(Blocks.batchFlattenBlock());
            }
            return network.add(Linear.builder().setUnits(2).optBias(random.nextBoolean()).build());
        }

        private void fill(SequentialBlock network, int size, int depth) {
            Block shared = layer();
            for (int i = 0; i < size; i++) {
                switch (random.nextInt(8)) {
                    case 0 -> network.add(depth < 2 ? branch(depth) : layer());
                    case 1 -> network.add(depth < 2 ? nested(depth) : layer());
                    case 2 -> network.add(shared);
                    case 3 -> network.add(activation());
                    case 4 -> network.add(layer()).add(norm()).add(Activation.reluBlock());
                    case 5 -> network.add(norm());
                    case 6 -> network.add(function());
                    default -> network.add(layer());
                }
            }
        }

        private Block nested(int depth) {
            SequentialBlock inner = new SequentialBlock();
            fill(inner, 1 + random.nextInt(3), depth + 1);
            return inner;
        }

        private Block branch(int depth) {
            Block other = random.nextBoolean() ? Blocks.identityBlock() : nested(depth);
            boolean product = random.nextInt(4) == 0;
            return new ParallelBlock(
                    outputs -> {
                        NDArray one = outputs.get(0).head();
                        NDArray two = outputs.get(1).head();
                        return new NDList(product ? one.mul(two) : NDArrays.add(one, two));
                    },
                    List.of(nested(depth), other));
        }

        private Block layer() {
            boolean bias = random.nextBoolean();
            return switch (kind) {
                case PICTURES ->
                        Conv2d.builder()
                                .setFilters(CHANNELS)
                                .setKernelShape(new Shape(3, 3))
                                .optPadding(new Shape(1, 1))
                                .optGroups(1 + random.nextInt(CHANNELS))
                                .optBias(bias)
                                .build();
                case SEQUENCES -> sequenceLayer(bias);
                default -> Linear.builder().setUnits(FEATURES).optBias(bias).build();
            };
        }

        private Block sequenceLayer(boolean bias) {
            return switch (random.nextInt(6)) {
                case 0 ->
                        alone(
                                LSTM.builder()
                                        .setStateSize(FEATURES)
                                        .setNumLayers(1 + random.nextInt(2))
                                        .optBatchFirst(true)
                                        .build());
                case 1 ->
                        alone(
                                GRU.builder()
                                        .setStateSize(FEATURES)
                                        .setNumLayers(1)
                                        .optBatchFirst(true)
                                        .build());
                case 2 -> alone(new TransformerEncoderBlock(FEATURES, 2, 5, 0f, Activation::gelu));
                default -> Linear.builder().setUnits(FEATURES).optBias(bias).build();
            };
        }

        /**
         * The next layer takes one tensor, whatever this one gives beside it; and DJL's recurrent
         * layers add their state to the list they are given, which a branch beside them gets too.
         */
        private Block alone(Block layer) {
            return new SequentialBlock()
                    .add(new LambdaBlock(x -> new NDList(x.head()), "Head"))
                    .add(layer)
                    .add(new LambdaBlock(x -> new NDList(x.head()), "Head"));
        }

        private Block norm() {
            return switch (random.nextInt(3)) {
                case 0 -> LayerNorm.builder().build();
                case 1 -> Dropout.builder().optRate(0.2f).build();
                default ->
                        kind == Kind.SEQUENCES
                                ? LayerNorm.builder().build()
                                : BatchNorm.builder().build();
            };
        }

        private Block activation() {
            return switch (random.nextInt(4)) {
                case 0 -> Activation.tanhBlock();
                case 1 -> Activation.sigmoidBlock();
                case 2 -> Activation.geluBlock();
                default -> Activation.reluBlock();
            };
        }

        private Block function() {
            return random.nextBoolean()
                    ? new LambdaBlock(x -> new NDList(x.head().add(x.head())), "Double")
                    : new LambdaBlock(
                            x -> new NDList(Activation.relu(x.head()).mul(x.head())), "Gate");
        }
    }
}
