package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Cifar10ExampleTest {

    @ParameterizedTest
    @ValueSource(strings = {"resnet20", "vgg-small"})
    void run_drawnShapes_givesAReport(String network) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int code =
                Cifar10Example.run(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(
                                OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
                        ("--json --limit 8 --batch-size 4 --float-epochs 1 --epochs 1 --network "
                                        + network)
                                .split(" "));

        assertThat(code).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("\"network\":\"" + network);
    }
}
