package org.nni4j.benchmarks;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What the figures hold for.
 *
 * @param cpu the processor's name, as Linux tells it; "unknown" elsewhere
 * @param cores those the JVM may use
 * @param threads those of the engine within an operator
 * @param system operating system and architecture
 * @param jdk the JVM's version
 * @param djl the version of DJL
 * @param engine name and version of the engine
 * @param environment variables that change what memory and threads cost
 */
record Machine(
        String cpu,
        int cores,
        String threads,
        String system,
        String jdk,
        String djl,
        String engine,
        Map<String, String> environment) {

    /** The property by which DJL is told the number of threads. */
    static final String THREADS = "ai.djl.pytorch.num_threads";

    private static final Path CPU = Path.of("/proc/cpuinfo");

    /** Looks around; starts the engine. */
    static Machine current() {
        Engine engine = Engine.getEngine("PyTorch");
        Map<String, String> environment = new TreeMap<>();
        System.getenv()
                .forEach(
                        (name, value) -> {
                            if (name.matches("(MALLOC|OMP|GOMP|MKL|DNNL|ONEDNN)_.*")) {
                                environment.put(name, value);
                            }
                        });
        return new Machine(
                readCpu(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty(THREADS, "default"),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                System.getProperty("java.vendor") + " " + Runtime.version(),
                Engine.getDjlVersion(),
                engine.getEngineName() + " " + engine.getVersion(),
                environment);
    }

    private static String readCpu() {
        if (!Files.isReadable(CPU)) {
            return "unknown";
        }
        try (Stream<String> lines = Files.lines(CPU)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).trim())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** One line for people. */
    @Override
    public String toString() {
        return String.format(
                "%s, %d cores, engine threads: %s; %s; JDK %s; DJL %s, %s%s",
                cpu,
                cores,
                threads,
                system,
                jdk,
                djl,
                engine,
                environment.isEmpty() ? "" : "; " + environment);
    }
}
