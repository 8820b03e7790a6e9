package org.nni4j.examples;

import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import java.io.PrintStream;
import java.util.Locale;

/**
 * Trains a float network with Nesterov momentum and a warm-up and cosine schedule, writing a
 * checkpoint after each epoch if asked to.
 *
 * @param epochs passes over the training set in all, also where training resumes
 * @param rate the peak learning rate
 * @param weightDecay added to each gradient in proportion to the weight
 * @param seed decides order and augmentation of each epoch
 */
record FloatTraining(int epochs, float rate, float weightDecay, long seed) {
    private static final float MOMENTUM = 0.9f;

    /** Warm-up takes this part of all steps: one fifth. */
    private static final int WARM_UP_DIVISOR = 5;

    /**
     * Trains the model, from the beginning or from where the checkpoints end.
     *
     * @param model initialized; its parameters are replaced by the checkpoint's if there is one
     * @param batches the training pictures
     * @param checkpoints where each epoch is kept
     * @param messages receives the progress bar
     */
    void train(Model model, Batches batches, Checkpoints checkpoints, PrintStream messages) {
        trainTo(epochs, model, batches, checkpoints, messages);
    }

    /** Trains as {@link #train} does, and stops after the epoch {@code last}. */
    void trainTo(
            int last, Model model, Batches batches, Checkpoints checkpoints, PrintStream messages) {
        int total = epochs * batches.count();
        if (total == 0) {
            return;
        }
        int done = checkpoints.loadModel(model, this, batches);
        NesterovSgd optimizer = optimizer(total, done * batches.count());
        checkpoints.loadVelocities(model, optimizer);
        try (Trainer trainer = Training.trainer(model, optimizer)) {
            trainer.initialize(inputShape(batches.images()));
            for (int epoch = done; epoch < last; epoch++) {
                String task = String.format("float epoch %d/%d", epoch + 1, epochs);
                try (Progress progress = new Progress(messages, task, batches.count())) {
                    double loss =
                            Training.epoch(trainer, batches, epochSeed(seed, epoch), progress);
                    progress.note(String.format(Locale.ROOT, "loss %.4f", loss));
                }
                checkpoints.save(model, optimizer, epoch + 1, this, batches);
            }
        }
    }

    private NesterovSgd optimizer(int total, int done) {
        WarmUpCosine schedule = new WarmUpCosine(rate, total / WARM_UP_DIVISOR, total);
        return NesterovSgd.builder(schedule, MOMENTUM)
                .optWeightDecays(weightDecay)
                .optBeginNumUpdate(done)
                .build();
    }

    static long epochSeed(long seed, int epoch) {
        return seed * 1_000_003L + epoch;
    }

    static Shape inputShape(ImageSet images) {
        return new Shape(1, images.channels(), images.height(), images.width());
    }
}
