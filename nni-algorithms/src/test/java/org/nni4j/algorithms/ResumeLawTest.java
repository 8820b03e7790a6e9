package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithms.qat.QATQuantizer;

/** N + M steps equal N steps, save, load, M steps, bit for bit, for every algorithm that trains. */
class ResumeLawTest {

    private static final int SAVED = 5;
    private static final int LAST = 9;

    @TempDir Path folder;

    static List<ResumeCase> cases() {
        return ResumeCase.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void resumed_intoAnotherNetwork_isTheSameBitForBit(ResumeCase resumeCase) throws IOException {
        String expected = uninterrupted(resumeCase);
        save(resumeCase);
        assertThat(resumed(resumeCase, folder)).isEqualTo(expected);
    }

    /** Everything that came after the checkpoint is undone, with the trainer that did it. */
    @ParameterizedTest
    @MethodSource("cases")
    void wentBack_inTheSameQuantizer_isTheSameBitForBit(ResumeCase resumeCase) throws IOException {
        String expected = uninterrupted(resumeCase);
        // Before any data was seen; before anything is quantized; and on the way.
        for (int saved : new int[] {0, 1, SAVED}) {
            try (ResumeCase.Run run = resumeCase.run(1)) {
                Path checkpoint = folder.resolve(resumeCase.fileName() + "-" + saved);
                run.train(0, saved);
                run.quantizer().saveCheckpoint(checkpoint);
                run.train(saved, LAST);
                assertThat(run.digest()).isEqualTo(expected);
                run.quantizer().loadCheckpoint(checkpoint);
                assertThat(run.quantizer().step()).isEqualTo(saved + 1);
                run.train(saved, LAST);
                assertThat(run.digest()).as("back to %d steps", saved).isEqualTo(expected);
            }
        }
    }

    /** The same in a JVM in which DJL's parameter ids are others, and nothing was ever computed. */
    @Test
    void resumed_inAnotherJvm_isTheSameBitForBit() throws Exception {
        for (ResumeCase resumeCase : cases()) {
            save(resumeCase);
        }
        try (ChildJvm child = ChildJvm.start(ResumeLawTest.class, folder.toString())) {
            int exitCode = child.waitFor(120, TimeUnit.SECONDS);
            assertThat(exitCode).as(child.output()).isZero();
        }
        for (ResumeCase resumeCase : cases()) {
            assertThat(Files.readString(folder.resolve(resumeCase.fileName() + ".digest")))
                    .as(resumeCase.toString())
                    .isEqualTo(uninterrupted(resumeCase));
        }
    }

    /** Runs in the other JVM. */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        for (ResumeCase resumeCase : cases()) {
            Files.writeString(
                    folder.resolve(resumeCase.fileName() + ".digest"), resumed(resumeCase, folder));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void checkpoint_loadsIntoTheFloatNetwork(ResumeCase resumeCase) throws Exception {
        try (ResumeCase.Run run = resumeCase.run(1);
                Model plain = resumeCase.run(2).model()) {
            run.train(0, 2);
            run.quantizer().saveCheckpoint(folder.resolve("net"));
            run.quantizer().restore();
            plain.load(folder, "net");
            assertThat(Networks.values(plain.getBlock()))
                    .usingRecursiveComparison()
                    .isEqualTo(Networks.values(run.model().getBlock()));
        }
    }

    /**
     * What docs/checkpoint.md says of dropout: its numbers are the engine's, seeded by the step.
     */
    @Test
    void resumed_withDropoutSeededByTheStep_isTheSameBitForBit() throws IOException {
        float[] whole;
        try (Model model = dropoutModel(1);
                QATQuantizer quantizer = dropoutQuantizer(model)) {
            quantizer.compress();
            trainSeeded(model, quantizer, 0, LAST);
            whole = weights(model);
        }
        try (Model model = dropoutModel(1);
                QATQuantizer quantizer = dropoutQuantizer(model)) {
            quantizer.compress();
            trainSeeded(model, quantizer, 0, SAVED);
            quantizer.saveCheckpoint(folder.resolve("dropout"));
        }
        try (Model model = dropoutModel(2);
                QATQuantizer quantizer = dropoutQuantizer(model)) {
            quantizer.compress();
            quantizer.loadCheckpoint(folder.resolve("dropout"));
            trainSeeded(model, quantizer, SAVED, LAST);
            assertThat(weights(model)).isEqualTo(whole);
        }
    }

    private static Model dropoutModel(int seed) {
        Engine.getInstance().setRandomSeed(seed);
        Model model = Model.newInstance("dropout");
        SequentialBlock block =
                new SequentialBlock()
                        .add(Blocks.batchFlattenBlock())
                        .add(Linear.builder().setUnits(16).build())
                        .add(Dropout.builder().optRate(.5f).build())
                        .add(Linear.builder().setUnits(3).build());
        block.initialize(model.getNDManager(), DataType.FLOAT32, Networks.SMALL);
        model.setBlock(block);
        return model;
    }

    private static QATQuantizer dropoutQuantizer(Model model) {
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.of("weight", "input"),
                        "quant_bits", 8,
                        "op_types", List.of("Linear"));
        return new QATQuantizer(model, List.of(entry), Networks.sgd(.1f));
    }

    private static void trainSeeded(Model model, QATQuantizer quantizer, int first, int last) {
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
            trainer.initialize(Networks.SMALL);
            for (int step = first; step < last; step++) {
                Engine.getInstance().setRandomSeed(7 + (int) quantizer.step());
                Networks.step(trainer, Networks.SMALL, 3, step);
            }
        }
    }

    private static float[] weights(Model model) {
        return model.getBlock().getParameters().get("02Linear_weight").getArray().toFloatArray();
    }

    private static String uninterrupted(ResumeCase resumeCase) {
        try (ResumeCase.Run run = resumeCase.run(1)) {
            run.train(0, LAST);
            return run.digest();
        }
    }

    private void save(ResumeCase resumeCase) throws IOException {
        try (ResumeCase.Run run = resumeCase.run(1)) {
            run.train(0, SAVED);
            run.quantizer().saveCheckpoint(folder.resolve(resumeCase.fileName()));
        }
    }

    private static String resumed(ResumeCase resumeCase, Path folder) throws IOException {
        try (ResumeCase.Run run = resumeCase.run(2)) {
            run.quantizer().loadCheckpoint(folder.resolve(resumeCase.fileName()));
            assertThat(run.quantizer().step()).isEqualTo(SAVED + 1);
            run.train(SAVED, LAST);
            return run.digest();
        }
    }
}
