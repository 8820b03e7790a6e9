package org.nni4j.benchmarks;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import org.jspecify.annotations.Nullable;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.graph.GraphTracer;

/** One network that is being trained, on one random batch again and again. */
final class TrainingRun implements AutoCloseable {

    /** Small, so that hundreds of steps on one batch leave the numbers in their usual range. */
    private static final float RATE = 1e-3f;

    private static final float MOMENTUM = 0.9f;

    private final Model model;
    private final @Nullable Quantizer quantizer;
    private final Trainer trainer;
    private final NDArray input;
    private final NDArray labels;

    /**
     * Builds, initializes and, unless in float, quantizes the network.
     *
     * @param seed decides weights and data: the same for every variant
     */
    TrainingRun(Task task, Variant variant, int seed) {
        model = Model.newInstance(task.title(), "PyTorch");
        NDManager manager = model.getNDManager();
        manager.getEngine().setRandomSeed(seed);
        model.setBlock(task.network());
        model.getBlock().initialize(manager, DataType.FLOAT32, task.input());
        input = task.drawInput(manager);
        labels = task.drawLabels(manager);
        Optimizer sgd =
                Optimizer.sgd()
                        .setLearningRateTracker(Tracker.fixed(RATE))
                        .optMomentum(MOMENTUM)
                        .build();
        quantizer = variant == Variant.FLOAT ? null : quantizer(task, variant, sgd);
        Optimizer optimizer = sgd;
        if (quantizer != null) {
            quantizer.compress();
            optimizer = quantizer.optimizer();
        }
        trainer =
                model.newTrainer(
                        new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                                .optOptimizer(optimizer));
    }

    private Quantizer quantizer(Task task, Variant variant, Optimizer optimizer) {
        return Quantizers.create(
                variant.algorithm(),
                model,
                variant.config(),
                optimizer,
                QuantizerOptions.standard(),
                variant.folds() ? GraphTracer.trace(model, task.input()) : null);
    }

    /**
     * Trains one step: forward, loss, backward, optimizer, the loss read back, temporaries freed.
     *
     * @return nanoseconds
     * @throws IllegalStateException if the loss is no number: time would then be of no interest
     */
    long step() {
        long begin = System.nanoTime();
        float loss = train(input, labels);
        long time = System.nanoTime() - begin;
        if (!Float.isFinite(loss)) {
            throw new IllegalStateException(model.getName() + ": the loss is " + loss);
        }
        return time;
    }

    /**
     * Trains steps of two samples, which cost next to nothing, until the JVM has compiled what a
     * step runs through. A training of hours spends its first minute in code that is interpreted.
     */
    void warmUp(int steps) {
        try (NDManager scope = trainer.getManager().newSubManager()) {
            NDArray few = input.get("0:2");
            few.attach(scope);
            NDArray answers = labels.get("0:2");
            answers.attach(scope);
            for (int i = 0; i < steps; i++) {
                train(few, answers);
            }
        }
    }

    private float train(NDArray samples, NDArray classes) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            NDList data = new NDList(samples.duplicate());
            data.attach(batch);
            NDList answers = new NDList(classes.duplicate());
            answers.attach(batch);
            NDArray loss;
            try (GradientCollector collector = trainer.newGradientCollector()) {
                loss = trainer.getLoss().evaluate(answers, trainer.forward(data));
                collector.backward(loss);
            }
            trainer.step();
            return loss.getFloat();
        }
    }

    @Override
    public void close() {
        trainer.close();
        if (quantizer != null) {
            quantizer.close();
        }
        model.close();
    }
}
