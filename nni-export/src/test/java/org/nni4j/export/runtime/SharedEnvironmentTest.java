package org.nni4j.export.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** ONNX Runtime starts. */
class SharedEnvironmentTest {

    /** What the other process runs. */
    static final class Start {

        private Start() {}

        public static void main(String[] arguments) {
            System.out.println("started " + SharedEnvironment.get());
            // ONNX Runtime has threads of its own.
            System.exit(0);
        }
    }

    /* In a process of its own: without the larger stack it would die. */
    @Test
    void environment_startsBehindALongClassPath() throws IOException, InterruptedException {
        String padding = (File.pathSeparator + "a".repeat(99)).repeat(300);
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path") + padding,
                                Start.class.getName())
                        .redirectErrorStream(true)
                        .start();

        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains("started");
    }
}
