package org.nni4j.examples;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;

/** One pass of training and one of testing, for float and quantized networks alike. */
final class Training {

    private Training() {}

    /** Returns a trainer for classification; the caller closes it. */
    static Trainer trainer(Model model, Optimizer optimizer) {
        return model.newTrainer(
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss()).optOptimizer(optimizer));
    }

    /**
     * Trains one epoch.
     *
     * @param trainer of an initialized model
     * @param batches the training pictures
     * @param seed decides order and augmentation
     * @param progress steps once per batch
     * @return the mean loss over the batches
     */
    static double epoch(Trainer trainer, Batches batches, long seed, Progress progress) {
        double sum = 0;
        for (Batch batch : batches.shuffled(trainer.getManager(), seed)) {
            sum += step(trainer, batch);
            batch.close();
            progress.step();
        }
        return sum / batches.count();
    }

    /** Trains one batch and returns its loss; the batch stays open. */
    static float step(Trainer trainer, Batch batch) {
        NDArray loss;
        try (GradientCollector collector = trainer.newGradientCollector()) {
            loss = trainer.getLoss().evaluate(batch.getLabels(), trainer.forward(batch.getData()));
            collector.backward(loss);
        }
        trainer.step();
        return loss.getFloat();
    }

    /**
     * Measures accuracy in evaluation mode.
     *
     * @param model an initialized model
     * @param batches the test pictures
     * @param progress steps once per batch
     * @return correct answers in percent of all
     */
    static double accuracy(Model model, Batches batches, Progress progress) {
        int correct = 0;
        try (NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            for (Batch batch : batches.inOrder(manager)) {
                correct += correct(model.getBlock(), parameters, batch);
                batch.close();
                progress.step();
            }
        }
        return 100.0 * correct / batches.images().size();
    }

    private static int correct(Block network, ParameterStore parameters, Batch batch) {
        NDArray scores = network.forward(parameters, batch.getData(), false).singletonOrThrow();
        long[] answers = scores.argMax(1).toLongArray();
        long[] labels = batch.getLabels().singletonOrThrow().toLongArray();
        int correct = 0;
        for (int i = 0; i < labels.length; i++) {
            if (answers[i] == labels[i]) {
                correct++;
            }
        }
        return correct;
    }
}
