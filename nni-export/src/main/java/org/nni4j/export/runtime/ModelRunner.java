package org.nni4j.export.runtime;

import java.util.List;

/** Runs a model again and again on the same inputs, for timing. */
public final class ModelRunner implements AutoCloseable, Runnable {

    private final OnnxSession session;
    private final BoundInputs inputs;

    /**
     * Opens a model for timing.
     *
     * @param model an ONNX file's bytes
     * @param settings how it runs
     * @param inputs in the model's order
     * @throws OnnxRuntimeException if ONNX Runtime refuses the model
     */
    public ModelRunner(byte[] model, SessionSettings settings, List<RuntimeTensor> inputs) {
        session = OnnxSession.open(model, settings);
        try {
            this.inputs = session.bind(session.named(inputs));
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** Runs it once and drops what it gives. */
    @Override
    public void run() {
        inputs.run();
    }

    /** Frees the model and the inputs. */
    @Override
    public void close() {
        inputs.close();
        session.close();
    }
}
