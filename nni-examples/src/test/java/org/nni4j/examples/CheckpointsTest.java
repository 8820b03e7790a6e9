package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.types.DataType;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
    private static final PrintStream NOWHERE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    private final Pictures pictures =
            new Pictures(
                    "digits",
                    SyntheticDigits.draw(48, 1),
                    SyntheticDigits.draw(10, 2),
                    Normalization.MNIST,
                    Augmentation.NONE);
    private final FloatTraining training = new FloatTraining(3, 0.05f, 5e-4f, 11);

    @TempDir private Path folder;

    @Test
    void train_interruptedAndResumed_isTheSameBitForBit() {
        byte[] whole = train(Checkpoints.none(), 3);
        byte[] cut = train(Checkpoints.in(folder, false), 2);
        byte[] resumed = train(Checkpoints.in(folder, true), 3);

        assertThat(cut).isNotEqualTo(whole);
        assertThat(resumed).isEqualTo(whole);
    }

    @Test
    void save_severalEpochs_keepsTheLatestOnly() throws IOException {
        train(Checkpoints.in(folder, false), 3);

        try (Stream<Path> children = Files.list(folder)) {
            assertThat(children.map(p -> p.getFileName().toString()).toList())
                    .isEqualTo(List.of("epoch-0003"));
        }
    }

    @Test
    void loadModel_otherSettings_throws() {
        train(Checkpoints.in(folder, false), 1);
        Checkpoints resumed = Checkpoints.in(folder, true);
        FloatTraining other = new FloatTraining(4, 0.05f, 5e-4f, 11);

        try (Model model = model()) {
            assertThatThrownBy(() -> resumed.loadModel(model, other, pictures.trainingBatches(16)))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("\"epochs\":4")
                    .hasMessageContaining("it was begun with {\"epochs\":3");
        }
    }

    @Test
    void loadModel_otherBatchSize_throws() {
        train(Checkpoints.in(folder, false), 1);
        Checkpoints resumed = Checkpoints.in(folder, true);

        try (Model model = model()) {
            Batches other = pictures.trainingBatches(8);
            assertThatThrownBy(() -> resumed.loadModel(model, training, other))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("\"batchSize\":8}; it was begun with")
                    .hasMessageContaining("\"batchSize\":16}");
        }
    }

    @Test
    void loadModel_stateThatSaysNothingOfBatches_isTaken() throws IOException {
        train(Checkpoints.in(folder, false), 1);
        Files.writeString(
                folder.resolve("epoch-0001").resolve("training.json"),
                "{\"epochs\":3,\"rate\":0.05,\"weightDecay\":5.0E-4,\"seed\":11}");

        try (Model model = model()) {
            int epochs =
                    Checkpoints.in(folder, true)
                            .loadModel(model, training, pictures.trainingBatches(8));
            assertThat(epochs).isEqualTo(1);
        }
    }

    @Test
    void train_fromDamagedVelocities_namesTheFile() throws IOException {
        train(Checkpoints.in(folder, false), 1);
        Path file = folder.resolve("epoch-0001").resolve("velocities.ndlist");
        byte[] whole = Files.readAllBytes(file);
        for (int length : new int[] {0, 3, 9, whole.length / 2, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> train(Checkpoints.in(folder, true), 2))
                    .as("%d of %d bytes", length, whole.length)
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("velocities.ndlist: ");
        }
    }

    /** Trains up to an epoch and returns the parameters' bytes. */
    private byte[] train(Checkpoints checkpoints, int last) {
        try (Model model = model()) {
            training.trainTo(last, model, pictures.trainingBatches(16), checkpoints, NOWHERE);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            model.getBlock().saveParameters(new DataOutputStream(bytes));
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Model model() {
        Model model = Model.newInstance("lenet", "PyTorch");
        Engine.getEngine("PyTorch").setRandomSeed(5);
        model.setBlock(Networks.leNet(10, true));
        model.getBlock()
                .initialize(
                        model.getNDManager(),
                        DataType.FLOAT32,
                        FloatTraining.inputShape(pictures.training()));
        return model;
    }
}
