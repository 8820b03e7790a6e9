package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.lsq.LsqQuantizer;
import org.nni4j.checkpoint.Checkpoint;

/**
 * A checkpoint of format version 1 keeps loading. {@link #main} wrote it; it is not to be written
 * again.
 */
class GoldenCheckpointTest {

    private static final String RESOURCE = "/golden-checkpoint-1/net-0000.params";
    private static final int STEPS = 3;

    /** What the writer's network gave, quantized, for {@code Networks.random(SMALL, 9)}. */
    private static final String OUTPUT = "/golden-checkpoint-1/output.txt";

    @TempDir Path folder;

    @Test
    void loadCheckpoint_ofVersion1_givesTheOutputsOfThen() throws IOException {
        Path file = folder.resolve("net-0000.params");
        try (var in = Objects.requireNonNull(getClass().getResourceAsStream(RESOURCE))) {
            Files.copy(in, file);
        }
        Checkpoint read = Checkpoint.read(file);
        assertThat(read.algorithm()).isEqualTo("lsq");
        assertThat(read.parameters()).hasSize(4);
        assertThat(read.optimizer().orElseThrow().arrays())
                .as("two moments of 4 parameters and 4 step sizes")
                .hasSize(2 * 8);
        try (Model model = Networks.smallModel(77);
                LsqQuantizer quantizer = quantizer(model)) {
            quantizer.compress();
            quantizer.loadCheckpoint(folder.resolve("net"));
            assertThat(quantizer.step()).isEqualTo(STEPS + 1);
            float[] output = output(model);
            float[] expected = expected();
            for (int i = 0; i < expected.length; i++) {
                // Other processors sum in another order, which float32 shows in its last digits.
                assertThat(output[i]).isCloseTo(expected[i], within(1e-5f));
            }
            train(model, quantizer, STEPS, STEPS + 1);
            assertThat(quantizer.step()).isEqualTo(STEPS + 2);
        }
    }

    private static float[] expected() throws IOException {
        try (var in =
                Objects.requireNonNull(GoldenCheckpointTest.class.getResourceAsStream(OUTPUT))) {
            String[] words =
                    new String(in.readAllBytes(), StandardCharsets.US_ASCII).trim().split(" ", -1);
            float[] values = new float[words.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = Float.parseFloat(words[i]);
            }
            return values;
        }
    }

    private static LsqQuantizer quantizer(Model model) {
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of("weight", "input"),
                        "quant_bits", 4,
                        "op_types", List.of("Conv2d", "Linear"));
        return new LsqQuantizer(model, List.of(entry), Optimizer.adam().build());
    }

    private static void train(Model model, LsqQuantizer quantizer, int from, int to) {
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
            trainer.initialize(Networks.SMALL);
            for (int step = from; step < to; step++) {
                Networks.step(trainer, Networks.SMALL, 3, step);
            }
        }
    }

    private static float[] output(Model model) {
        return Networks.evaluate(model, Networks.random(Networks.SMALL, 9), Networks.SMALL);
    }

    /** Writes the resources of the current version into a folder. */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        try (Model model = Networks.smallModel(5);
                LsqQuantizer quantizer = quantizer(model)) {
            quantizer.compress();
            train(model, quantizer, 0, STEPS);
            quantizer.saveCheckpoint(folder.resolve("net"));
            String words = Arrays.toString(output(model)).replaceAll("[\\[\\],]", "");
            Files.writeString(folder.resolve("output.txt"), words + "\n");
        }
    }
}
