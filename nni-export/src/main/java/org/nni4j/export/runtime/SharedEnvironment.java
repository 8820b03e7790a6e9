package org.nni4j.export.runtime;

import ai.djl.engine.Engine;
import ai.onnxruntime.OrtEnvironment;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * The environment of ONNX Runtime, of which a process has one.
 *
 * <p>DJL's own ONNX Runtime engine makes it with thread settings, and fails for good if it exists
 * already. So that an exported model can be loaded through DJL afterwards, that engine goes first
 * where it is on the class path.
 */
final class SharedEnvironment {

    private static final String DJL_ENGINE = "OnnxRuntime";

    /*
     * As it starts, ONNX Runtime 1.29.0 recurses as deep as the process's command line is long. A class path of 4 KB
     * overflows the 1 MB stack of a Java thread, and the process ends in a segmentation fault without a word. Linux allows
     * 128 KB for one argument.
     */
    private static final long STACK_BYTES = 64L << 20;

    private static @Nullable OrtEnvironment started;

    private SharedEnvironment() {}

    static synchronized OrtEnvironment get() {
        if (started == null) {
            started = startOnALargeStack();
        }
        return started;
    }

    private static OrtEnvironment startOnALargeStack() {
        FutureTask<OrtEnvironment> start = new FutureTask<>(SharedEnvironment::start);
        new Thread(null, start, "onnxruntime-start", STACK_BYTES).start();
        try {
            return start.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while ONNX Runtime started", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("ONNX Runtime did not start: " + e.getMessage(), e);
        }
    }

    private static OrtEnvironment start() {
        if (Engine.hasEngine(DJL_ENGINE)) {
            Engine.getEngine(DJL_ENGINE);
        }
        return OrtEnvironment.getEnvironment();
    }
}
