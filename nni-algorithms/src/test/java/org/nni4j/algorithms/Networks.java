package org.nni4j.algorithms;

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
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.Pair;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small networks and single passes that the algorithms' tests share. */
public final class Networks {

    private Networks() {}

    /** A model of one bias-free linear layer; the weight is of shape (out, in). */
    public static Model linear(float[][] weight) {
        Model model = Model.newInstance("linear");
        Linear linear = Linear.builder().setUnits(weight.length).optBias(false).build();
        SequentialBlock block = new SequentialBlock().add(linear);
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, weight[0].length));
        set(linear.getParameters().get("weight"), flat(weight));
        model.setBlock(block);
        return model;
    }

    /**
     * A LeNet-like network for 1×28×28 images: two convolutions, two linear layers, ReLU between.
     */
    public static SequentialBlock lenet() {
        return new SequentialBlock()
                .add(Conv2d.builder().setKernelShape(new Shape(5, 5)).setFilters(4).build())
                .add(Activation.reluBlock())
                .add(ai.djl.nn.pooling.Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
                .add(Conv2d.builder().setKernelShape(new Shape(5, 5)).setFilters(8).build())
                .add(Activation.reluBlock())
                .add(ai.djl.nn.pooling.Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(32).build())
                .add(Activation.reluBlock())
                .add(Linear.builder().setUnits(10).build());
    }

    /** A model of that network, initialized from a seed. */
    public static Model lenetModel(int seed) {
        Engine.getInstance().setRandomSeed(seed);
        Model model = Model.newInstance("lenet");
        SequentialBlock block = lenet();
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 1, 28, 28));
        model.setBlock(block);
        return model;
    }

    /**
     * A convolution, ReLU and a linear layer for 1×6×6 images: small enough for many steps in a
     * test.
     */
    public static SequentialBlock small() {
        return new SequentialBlock()
                .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(2).build())
                .add(Activation.reluBlock())
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(3).build());
    }

    /** The shape of a batch for {@link #small()}. */
    public static final Shape SMALL = new Shape(4, 1, 6, 6);

    /** A model of that network, initialized from a seed. */
    public static Model smallModel(int seed) {
        Engine.getInstance().setRandomSeed(seed);
        Model model = Model.newInstance("small");
        SequentialBlock block = small();
        block.initialize(model.getNDManager(), DataType.FLOAT32, SMALL);
        model.setBlock(block);
        return model;
    }

    /** A convolution with a BatchNorm, and a linear layer, for the same images. */
    public static Model foldableModel(int seed) {
        Engine.getInstance().setRandomSeed(seed);
        Model model = Model.newInstance("foldable");
        SequentialBlock block =
                new SequentialBlock()
                        .add(Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(2).build())
                        .add(BatchNorm.builder().build())
                        .add(Blocks.batchFlattenBlock())
                        .add(Linear.builder().setUnits(3).build());
        block.initialize(model.getNDManager(), DataType.FLOAT32, SMALL);
        model.setBlock(block);
        return model;
    }

    /** Seeded values of {@code 0..1}, as many as the shape holds. */
    public static float[] random(Shape shape, long seed) {
        java.util.Random random = new java.util.Random(seed);
        float[] data = new float[(int) shape.size()];
        for (int i = 0; i < data.length; i++) {
            data[i] = random.nextFloat();
        }
        return data;
    }

    /** Overwrites a parameter in place. */
    public static void set(Parameter parameter, float... values) {
        NDArray array = parameter.getArray();
        try (NDArray fresh = array.getManager().create(values, array.getShape())) {
            fresh.copyTo(array);
        }
    }

    /** All parameters' values by name. */
    public static Map<String, float[]> values(Block block) {
        Map<String, float[]> values = new LinkedHashMap<>();
        block.getParameters()
                .forEach(p -> values.put(p.getKey(), p.getValue().getArray().toFloatArray()));
        return values;
    }

    /** What one training pass gave. */
    public record Pass(float[] output, float[] inputGradient, Map<String, float[]> gradients) {}

    /** Runs a training pass and backward with the given upstream gradient; no step is taken. */
    public static Pass train(Model model, float[] input, Shape shape, float[] upstream) {
        return train(model, input, shape, upstream, () -> {});
    }

    /** The same, with something to be done after the backward pass. */
    public static Pass train(
            Model model, float[] input, Shape shape, float[] upstream, Runnable afterBackward) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            List<Pair<String, Parameter>> trained =
                    model.getBlock().getParameters().stream()
                            .filter(p -> p.getValue().requiresGradient())
                            .toList();
            trained.forEach(p -> p.getValue().getArray().setRequiresGradient(true));
            NDArray x = manager.create(input, shape);
            x.setRequiresGradient(true);
            float[] output;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray y = model.getBlock().forward(store, new NDList(x), true).head();
                output = y.toFloatArray();
                collector.backward(y.mul(manager.create(upstream, y.getShape())).sum());
            }
            afterBackward.run();
            Map<String, float[]> gradients = new LinkedHashMap<>();
            trained.forEach(
                    p ->
                            gradients.put(
                                    p.getKey(),
                                    p.getValue().getArray().getGradient().toFloatArray()));
            float[] dx = x.getGradient().toFloatArray();
            trained.forEach(p -> p.getValue().getArray().getGradient().muli(0));
            return new Pass(output, dx, gradients);
        }
    }

    /** The input's gradient of a plain sum over the outputs, which is one broadcast number. */
    public static float[] summedGradient(Model model, float[] input, Shape shape) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDArray x = manager.create(input, shape);
            x.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                collector.backward(
                        model.getBlock().forward(store, new NDList(x), true).head().sum());
            }
            return x.getGradient().toFloatArray();
        }
    }

    /** Runs the network on one input without training. */
    public static float[] evaluate(Model model, float[] input, Shape shape) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            return model.getBlock()
                    .forward(store, new NDList(manager.create(input, shape)), false)
                    .head()
                    .toFloatArray();
        }
    }

    /** A trainer with softmax cross-entropy. */
    public static Trainer trainer(Model model, Optimizer optimizer) {
        return model.newTrainer(
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss()).optOptimizer(optimizer));
    }

    /** Plain SGD. */
    public static Optimizer sgd(float learningRate) {
        return Optimizer.sgd().setLearningRateTracker(Tracker.fixed(learningRate)).build();
    }

    /** One step on a seeded random batch, as a user's loop would do it; returns the loss. */
    public static float step(Trainer trainer, Shape shape, int classes, long seed) {
        return step(trainer, shape, classes, seed, () -> {});
    }

    /** The same, with something to be done after the backward pass. */
    public static float step(
            Trainer trainer, Shape shape, int classes, long seed, Runnable afterBackward) {
        java.util.Random random = new java.util.Random(seed);
        float[] data = new float[(int) shape.size()];
        for (int i = 0; i < data.length; i++) {
            data[i] = random.nextFloat();
        }
        float[] labels = new float[(int) shape.get(0)];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = random.nextInt(classes);
        }
        float loss;
        try (NDManager batch = trainer.getManager().newSubManager()) {
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList predictions = trainer.forward(new NDList(batch.create(data, shape)));
                NDArray value =
                        trainer.getLoss().evaluate(new NDList(batch.create(labels)), predictions);
                collector.backward(value);
                loss = value.toFloatArray()[0];
            }
            afterBackward.run();
            trainer.step();
        }
        return loss;
    }

    /** Rows one after another. */
    public static float[] flat(float[][] rows) {
        float[] flat = new float[rows.length * rows[0].length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
        }
        return flat;
    }
}
