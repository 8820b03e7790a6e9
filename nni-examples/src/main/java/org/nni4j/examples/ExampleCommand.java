package org.nni4j.examples;

import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.nni4j.config.ConfigException;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;

/**
 * Runs a command as a program: bad input is told in lines that begin with {@code error:} and exits
 * with 2, without a stack trace.
 */
final class ExampleCommand {

    private ExampleCommand() {}

    /**
     * Runs a command.
     *
     * @param command a picocli command
     * @param out receives the help text
     * @param messages receives errors
     * @param args the command line
     * @return the program's exit code
     */
    static int run(Object command, PrintStream out, PrintStream messages, String... args) {
        // DJL asks the cloud whether it runs there unless told not to
        System.setProperty("OPT_OUT_TRACKING", "true");
        CommandLine line = new CommandLine(command);
        line.setOut(writer(out));
        line.setErr(writer(messages));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler(
                (e, rest) -> {
                    messages.println("error: " + e.getMessage());
                    messages.println("try --help");
                    return ExitCode.USAGE;
                });
        line.setExecutionExceptionHandler(
                (e, failed, parsed) -> {
                    if (!(e instanceof ConfigException || e instanceof InputException)) {
                        throw e;
                    }
                    // several problems of one config list are one line each
                    String.valueOf(e.getMessage())
                            .lines()
                            .forEach(l -> messages.println("error: " + l.strip()));
                    return ExitCode.USAGE;
                });
        return line.execute(args);
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
    }
}
