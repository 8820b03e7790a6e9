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
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;

class QuantizedTrainingTest {
    private static final PrintStream NOWHERE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    private static final int EPOCHS = 3;

    private final Pictures pictures =
            new Pictures(
                    "digits",
                    SyntheticDigits.draw(48, 1),
                    SyntheticDigits.draw(10, 2),
                    Normalization.MNIST,
                    Augmentation.NONE);

    @TempDir private Path folder;

    @Test
    void train_interruptedAndResumed_isTheSameBitForBit() {
        byte[] whole = train(new QuantizedTraining(EPOCHS, 11, Optional.empty(), false), EPOCHS, 9);
        byte[] cut = train(keeping(false), 2, 9);
        byte[] resumed = train(keeping(true), EPOCHS, 9);

        assertThat(cut).isNotEqualTo(whole);
        assertThat(resumed).isEqualTo(whole);
    }

    @Test
    void train_resumedWithAnotherSchedule_throws() {
        train(keeping(false), 1, 9);

        assertThatThrownBy(() -> train(keeping(true), 1, 12))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("optimizer.rate: WarmUpCosine[")
                .hasMessageContaining("totalSteps=9]")
                .hasMessageContaining("totalSteps=12]");
    }

    private QuantizedTraining keeping(boolean resume) {
        return new QuantizedTraining(EPOCHS, 11, Optional.of(folder.resolve("lenet")), resume);
    }

    /** Trains up to an epoch and returns the parameters' bytes. */
    private byte[] train(QuantizedTraining training, int last, int steps) {
        NesterovSgd optimizer =
                NesterovSgd.builder(new WarmUpCosine(.01f, 2, steps), .9f)
                        .optWeightDecays(1e-3f)
                        .build();
        ConfigList config =
                ConfigList.fromMaps(
                        List.of(
                                Map.of(
                                        "quant_types", List.of("weight", "input"),
                                        "quant_bits", 4,
                                        "op_types", List.of("Conv2d", "Linear"))));
        try (Model model = model();
                Quantizer quantizer = Quantizers.create("lsq", model, config, optimizer)) {
            quantizer.compress();
            training.trainTo(last, quantizer, pictures.trainingBatches(16), NOWHERE);
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
