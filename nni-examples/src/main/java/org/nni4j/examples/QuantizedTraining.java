package org.nni4j.examples;

import ai.djl.training.Trainer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.nni4j.compression.Quantizer;

/**
 * Trains a quantized network, keeping a checkpoint after each epoch if asked to. Training that
 * resumes gives the same network, bit for bit, as training that was never interrupted.
 *
 * @param epochs passes over the training set in all, also where training resumes
 * @param seed decides order and augmentation of each epoch
 * @param checkpoint folder and name of the checkpoint; empty to keep none
 * @param resume whether training goes on from the checkpoint, if there is one
 */
record QuantizedTraining(int epochs, long seed, Optional<Path> checkpoint, boolean resume) {

    /** Keeps the quantized epochs' order apart from the float epochs'. */
    private static final int FIRST_EPOCH = 500_000;

    /**
     * Trains the model, from the beginning or from where the checkpoint was left.
     *
     * @param quantizer has compressed the model
     * @param batches the training pictures
     * @param messages receives the progress bar
     */
    void train(Quantizer quantizer, Batches batches, PrintStream messages) {
        trainTo(epochs, quantizer, batches, messages);
    }

    /** Trains as {@link #train} does, and stops after the epoch {@code last}. */
    void trainTo(int last, Quantizer quantizer, Batches batches, PrintStream messages) {
        if (epochs == 0) {
            return;
        }
        load(quantizer);
        int done = (int) ((quantizer.step() - 1) / batches.count());
        try (Trainer trainer = Training.trainer(quantizer.model(), quantizer.optimizer())) {
            for (int epoch = done; epoch < last; epoch++) {
                String task = String.format("quantized epoch %d/%d", epoch + 1, epochs);
                try (Progress progress = new Progress(messages, task, batches.count())) {
                    long epochSeed = FloatTraining.epochSeed(seed, FIRST_EPOCH + epoch);
                    double loss = Training.epoch(trainer, batches, epochSeed, progress);
                    progress.note(String.format(Locale.ROOT, "loss %.4f", loss));
                }
                save(quantizer);
            }
        }
    }

    private void load(Quantizer quantizer) {
        if (!resume || checkpoint.isEmpty()) {
            return;
        }
        Path path = checkpoint.get();
        try {
            if (Files.exists(path.resolveSibling(path.getFileName() + "-0000.params"))) {
                quantizer.loadCheckpoint(path);
            }
        } catch (IOException e) {
            throw new InputException(String.valueOf(e.getMessage()));
        }
    }

    private void save(Quantizer quantizer) {
        if (checkpoint.isPresent()) {
            try {
                quantizer.saveCheckpoint(checkpoint.get());
            } catch (IOException e) {
                throw InputException.unreadable(checkpoint.get(), e);
            }
        }
    }
}
