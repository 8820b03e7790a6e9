package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.qat.QATQuantizer;
import org.nni4j.checkpoint.Checkpoint;
import org.nni4j.compression.Quantizer;

/**
 * A JVM that saves and exports without pause is killed at random moments. Whatever the moment, the
 * files are those of before or those of after, and never a mixture.
 *
 * <p>In round k all parameters are k / 1024 and k steps are completed, so a file says which round
 * it is of. The number of kills is the system property {@code nni4j.kills}.
 */
class KilledWhileWritingTest {

    private static final int SEED = 20_261;
    private static final int LONGEST_PAUSE = 300;
    private static final String CHECKPOINT = "checkpoint";
    private static final String EXPORT = "export";

    @TempDir Path folder;

    @Test
    void kill_atRandomMoments_leavesOldFilesOrNew() throws Exception {
        int kills = Integer.getInteger("nni4j.kills", 4);
        Random random = new Random(SEED);
        int inCheckpoint = 0;
        int inExport = 0;
        int interruptedExports = 0;
        int round = 0;
        for (int kill = 0; kill < kills; kill++) {
            String progress = killed(round, random.nextInt(LONGEST_PAUSE));
            String what = "seed " + SEED + ", kill " + kill + ", " + last(progress);
            int saved = checkpoint(what);
            int exported = exported(what);
            assertOldOrNew(progress, CHECKPOINT, saved, round, what);
            assertOldOrNew(progress, EXPORT, exported, round, what);
            inCheckpoint += last(progress).startsWith("begin checkpoint") ? 1 : 0;
            inExport += last(progress).startsWith("begin export") ? 1 : 0;
            interruptedExports += waitingCalibrations() > 0 ? 1 : 0;
            round = Math.max(saved, exported);
        }
        System.out.printf(
                "%d kills, %d while saving, %d while exporting (%d between its files), %d rounds%n",
                kills, inCheckpoint, inExport, interruptedExports, round);
    }

    /** Runs the writer from a round on, kills it some time after its first files are complete. */
    private String killed(int round, int pause) throws Exception {
        try (ChildJvm writer =
                ChildJvm.start(
                        KilledWhileWritingTest.class, folder.toString(), String.valueOf(round))) {
            while (!writer.output().contains("end export")) {
                assertThat(writer.isAlive()).as(writer.output()).isTrue();
                Thread.sleep(5);
            }
            Thread.sleep(pause);
            writer.kill();
            return writer.output();
        }
    }

    private static String last(String progress) {
        List<String> lines = lines(progress);
        return lines.get(lines.size() - 1);
    }

    /** The last line may be cut off. */
    private static List<String> lines(String progress) {
        return Arrays.stream(progress.substring(0, progress.lastIndexOf('\n')).split("\n", -1))
                .filter(line -> line.startsWith("begin ") || line.startsWith("end "))
                .toList();
    }

    private static void assertOldOrNew(
            String progress, String kind, int found, int before, String what) {
        int begun = round(progress, "begin " + kind + " ", before);
        int ended = round(progress, "end " + kind + " ", before);
        assertThat(found).as("%s: %s", kind, what).isBetween(ended, begun);
    }

    private static int round(String progress, String prefix, int otherwise) {
        return lines(progress).stream()
                .filter(line -> line.startsWith(prefix))
                .mapToInt(line -> Integer.parseInt(line.substring(prefix.length()).trim()))
                .max()
                .orElse(otherwise);
    }

    /** The round of the checkpoint, which must be whole for us and for DJL. */
    private int checkpoint(String what) throws Exception {
        Checkpoint read = Checkpoint.read(folder.resolve("net-0000.params"));
        int round = (int) read.step() - 1;
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(model)) {
            model.load(folder, "net");
            assertRound(model.getBlock(), round, what);
            quantizer.compress();
            quantizer.loadCheckpoint(folder.resolve("net"));
            assertThat(quantizer.step()).as(what).isEqualTo(round + 1);
            assertRound(model.getBlock(), round, what);
        }
        return round;
    }

    /** The round of the exported model, whose two files must belong together. */
    private int exported(String what) throws Exception {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(model)) {
            model.load(folder, "exported");
            quantizer.compress();
            quantizer.loadCalibration(folder.resolve("exported.json"));
            int round = (int) quantizer.step() - 1;
            assertRound(model.getBlock(), round, what);
            return round;
        }
    }

    private static void assertRound(Block block, int round, String what) {
        Networks.values(block)
                .forEach((name, values) -> assertThat(values).as(what).containsOnly(round / 1024f));
    }

    private long waitingCalibrations() throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith(".exported.json."))
                    .count();
        }
    }

    private static Quantizer quantizer(Model model) {
        return new QATQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types",
                                List.of("weight", "input"),
                                "quant_bits",
                                8,
                                "op_types",
                                List.of("Conv2d", "Linear"))),
                Optimizer.adam().build());
    }

    /** The writer: goes on after a round, for ever. */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        int first = Integer.parseInt(args[1]) + 1;
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(model)) {
            quantizer.compress();
            if (first > 1) {
                quantizer.loadCheckpoint(folder.resolve("net"));
            }
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                while (quantizer.step() < first) {
                    Networks.step(trainer, Networks.SMALL, 3, 1);
                }
                for (int round = first; ; round++) {
                    Networks.step(trainer, Networks.SMALL, 3, round);
                    write(quantizer, model, folder, round);
                }
            }
        }
    }

    private static void write(Quantizer quantizer, Model model, Path folder, int round)
            throws IOException {
        model.getBlock()
                .getParameters()
                .forEach(
                        p -> {
                            float[] values =
                                    new float[(int) p.getValue().getArray().getShape().size()];
                            Arrays.fill(values, round / 1024f);
                            Networks.set(p.getValue(), values);
                        });
        System.out.println("begin checkpoint " + round);
        quantizer.saveCheckpoint(folder.resolve("net"));
        System.out.println("end checkpoint " + round);
        System.out.println("begin export " + round);
        quantizer.exportModel(folder.resolve("exported"), folder.resolve("exported.json"));
        System.out.println("end export " + round);
        quantizer.compress();
    }
}
