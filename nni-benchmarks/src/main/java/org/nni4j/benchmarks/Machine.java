package org.nni4j.benchmarks;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.nni4j.memory.NativeHeap;

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
 * @param freedMemory what becomes of it: "kept" for what is allocated next, or "given back" to the
 *     system
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
        String freedMemory,
        Map<String, String> environment) {

    /** The property by which DJL is told the number of threads. */
    static final String THREADS = "ai.djl.pytorch.num_threads";

    /** The property that says whether the process keeps freed memory. */
    static final String KEEP_MEMORY = "org.nni4j.benchmarks.keep_memory";

    private static final Path CPU = Path.of("/proc/cpuinfo");

    /** Returns the options that give a process of its own this one's settings. */
    static String[] jvmOptions() {
        return Stream.of(THREADS, KEEP_MEMORY)
                .map(name -> "-D" + name + "=" + System.getProperty(name))
                .toArray(String[]::new);
    }

    /**
     * Keeps freed memory if the property says so; called before the engine starts.
     *
     * @return whether it is kept
     */
    static boolean prepareMemory() {
        return Boolean.getBoolean(KEEP_MEMORY) && NativeHeap.keepFreedMemory();
    }

    /** Looks around; starts the engine. */
    static Machine current() {
        String freedMemory = prepareMemory() ? "kept" : "given back";
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
                freedMemory,
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
                "%s, %d cores, engine threads: %s; %s; JDK %s; DJL %s, %s; freed memory is %s%s",
                cpu,
                cores,
                threads,
                system,
                jdk,
                djl,
                engine,
                freedMemory,
                environment.isEmpty() ? "" : "; " + environment);
    }
}
