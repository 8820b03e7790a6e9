package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import picocli.CommandLine.Command;

class ExampleCommandTest {

    private static final String OPT_OUT = "OPT_OUT_TRACKING";

    @Command
    static final class Asked implements Callable<Integer> {
        @Override
        public Integer call() {
            return Boolean.getBoolean(OPT_OUT) ? 7 : 8;
        }
    }

    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void run_anyCommand_keepsTheEngineFromAskingTheCloud() {
        PrintStream nowhere =
                new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        System.clearProperty(OPT_OUT);
        assertThat(ExampleCommand.run(new Asked(), nowhere, nowhere)).isEqualTo(7);
    }
}
