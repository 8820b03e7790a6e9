package org.nni4j.export.runtime;

import ai.djl.ndarray.types.DataType;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model loaded into ONNX Runtime. May be used by several threads; holds native memory. */
public final class OnnxSession implements AutoCloseable {

    private final OrtEnvironment environment;
    private final OrtSession.SessionOptions options;
    private final OrtSession session;

    private OnnxSession(
            OrtEnvironment environment, OrtSession.SessionOptions options, OrtSession session) {
        this.environment = environment;
        this.options = options;
        this.session = session;
    }

    /** Opens a model in some form. */
    @FunctionalInterface
    private interface Opening {
        OrtSession open(OrtEnvironment environment, OrtSession.SessionOptions options)
                throws OrtException;
    }

    /**
     * Loads a file.
     *
     * @param model an ONNX file
     * @param settings how it runs
     * @return to be closed
     * @throws OnnxRuntimeException if ONNX Runtime refuses the model
     */
    public static OnnxSession open(Path model, SessionSettings settings) {
        return open(settings, model.toString(), (e, o) -> e.createSession(model.toString(), o));
    }

    /**
     * Loads a model that is in memory.
     *
     * @param model an ONNX file's bytes
     * @param settings how it runs
     * @return to be closed
     * @throws OnnxRuntimeException if ONNX Runtime refuses the model
     */
    public static OnnxSession open(byte[] model, SessionSettings settings) {
        return open(settings, "the model", (e, o) -> e.createSession(model, o));
    }

    private static OnnxSession open(SessionSettings settings, String what, Opening opening) {
        OrtEnvironment environment = SharedEnvironment.get();
        OrtSession.@Nullable SessionOptions options = null;
        try {
            options = options(settings);
            return new OnnxSession(environment, options, opening.open(environment, options));
        } catch (OrtException e) {
            if (options != null) {
                options.close();
            }
            throw new OnnxRuntimeException(what + ": " + e.getMessage(), e);
        }
    }

    private static OrtSession.SessionOptions options(SessionSettings settings) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setOptimizationLevel(
                switch (settings.optimization()) {
                    case NONE -> OrtSession.SessionOptions.OptLevel.NO_OPT;
                    case EXTENDED -> OrtSession.SessionOptions.OptLevel.EXTENDED_OPT;
                    case ALL -> OrtSession.SessionOptions.OptLevel.ALL_OPT;
                });
        options.setIntraOpNumThreads(settings.threads());
        if (settings.optimizedModel().isPresent()) {
            options.setOptimizedModelFilePath(settings.optimizedModel().get().toString());
        }
        for (Map.Entry<String, String> entry : settings.entries().entrySet()) {
            options.addConfigEntry(entry.getKey(), entry.getValue());
        }
        return options;
    }

    /**
     * Returns the names of the model's inputs.
     *
     * @return in the model's order
     */
    public List<String> inputNames() {
        return List.copyOf(session.getInputNames());
    }

    /**
     * Returns the names of the model's outputs.
     *
     * @return in the model's order
     */
    public List<String> outputNames() {
        return List.copyOf(session.getOutputNames());
    }

    /**
     * Runs the model.
     *
     * @param inputs by name
     * @return the outputs by name, in the model's order
     * @throws OnnxRuntimeException if an input is missing or does not fit, or an operator fails
     */
    public Map<String, RuntimeTensor> run(Map<String, RuntimeTensor> inputs) {
        try (BoundInputs bound = bind(inputs);
                OrtSession.Result result = session.run(bound.tensors())) {
            Map<String, RuntimeTensor> outputs = new LinkedHashMap<>();
            for (Map.Entry<String, OnnxValue> output : result) {
                outputs.put(output.getKey(), copy(output.getKey(), output.getValue()));
            }
            return outputs;
        } catch (OrtException e) {
            throw new OnnxRuntimeException(String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Runs the model on inputs in the model's order.
     *
     * @param inputs as many as the model has
     * @return the outputs by name, in the model's order
     * @throws OnnxRuntimeException if an input is missing or does not fit, or an operator fails
     */
    public Map<String, RuntimeTensor> run(List<RuntimeTensor> inputs) {
        return run(named(inputs));
    }

    Map<String, RuntimeTensor> named(List<RuntimeTensor> inputs) {
        List<String> names = inputNames();
        if (names.size() != inputs.size()) {
            throw new OnnxRuntimeException(
                    inputs.size() + " inputs; expected " + names.size() + ": " + names, null);
        }
        Map<String, RuntimeTensor> named = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            named.put(names.get(i), inputs.get(i));
        }
        return named;
    }

    /** Gives inputs to ONNX Runtime once, to be run many times. */
    BoundInputs bind(Map<String, RuntimeTensor> inputs) {
        return new BoundInputs(environment, session, inputs);
    }

    private static RuntimeTensor copy(String name, OnnxValue value) {
        if (!(value instanceof OnnxTensor tensor)) {
            throw new OnnxRuntimeException("output \"" + name + "\" is no tensor", null);
        }
        TensorInfo info = tensor.getInfo();
        ByteBuffer from = tensor.getByteBuffer();
        ByteBuffer copy = RuntimeTensor.buffer(from.remaining());
        copy.put(from).rewind();
        return new RuntimeTensor(dataType(info.type), info.getShape(), copy);
    }

    private static DataType dataType(OnnxJavaType type) {
        return switch (type) {
            case FLOAT -> DataType.FLOAT32;
            case DOUBLE -> DataType.FLOAT64;
            case UINT8 -> DataType.UINT8;
            case INT8 -> DataType.INT8;
            case INT16 -> DataType.INT16;
            case INT32 -> DataType.INT32;
            case INT64 -> DataType.INT64;
            case BOOL -> DataType.BOOLEAN;
            default ->
                    throw new OnnxRuntimeException(
                            "tensors of type " + type + " are not read", null);
        };
    }

    /** Frees the model. */
    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new OnnxRuntimeException("close: " + e.getMessage(), e);
        } finally {
            options.close();
        }
    }
}
