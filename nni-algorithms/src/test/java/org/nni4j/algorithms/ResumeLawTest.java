package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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
