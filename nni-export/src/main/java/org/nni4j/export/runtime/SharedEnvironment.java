package org.nni4j.export.runtime;

import ai.djl.engine.Engine;
import ai.onnxruntime.OrtEnvironment;

/**
 * The environment of ONNX Runtime, of which a process has one.
 *
 * <p>DJL's own ONNX Runtime engine makes it with thread settings, and fails for good if it exists
 * already. So that an exported model can be loaded through DJL afterwards, that engine goes first
 * where it is on the class path.
 */
final class SharedEnvironment {

    private static final String DJL_ENGINE = "OnnxRuntime";

    private SharedEnvironment() {}

    static OrtEnvironment get() {
        if (Engine.hasEngine(DJL_ENGINE)) {
            Engine.getEngine(DJL_ENGINE);
        }
        return OrtEnvironment.getEnvironment();
    }
}
