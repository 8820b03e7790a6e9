package org.nni4j.export.runtime;

import ai.djl.ndarray.types.DataType;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;

/** Inputs in ONNX Runtime's hands: they can be run again and again without being copied. */
final class BoundInputs implements AutoCloseable {

    private final OrtSession session;
    private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();

    BoundInputs(OrtEnvironment environment, OrtSession session, Map<String, RuntimeTensor> inputs) {
        this.session = session;
        try {
            for (Map.Entry<String, RuntimeTensor> input : inputs.entrySet()) {
                RuntimeTensor tensor = input.getValue();
                tensors.put(
                        input.getKey(),
                        OnnxTensor.createTensor(
                                environment,
                                tensor.data().duplicate().order(ByteOrder.nativeOrder()),
                                tensor.shape(),
                                javaType(tensor.type())));
            }
        } catch (OrtException e) {
            close();
            throw new OnnxRuntimeException(String.valueOf(e.getMessage()), e);
        }
    }

    private static OnnxJavaType javaType(DataType type) {
        return switch (type) {
            case FLOAT32 -> OnnxJavaType.FLOAT;
            case FLOAT64 -> OnnxJavaType.DOUBLE;
            case UINT8 -> OnnxJavaType.UINT8;
            case INT8 -> OnnxJavaType.INT8;
            case INT32 -> OnnxJavaType.INT32;
            case INT64 -> OnnxJavaType.INT64;
            case BOOLEAN -> OnnxJavaType.BOOL;
            default ->
                    throw new OnnxRuntimeException(
                            "inputs of type " + type + " are not passed on", null);
        };
    }

    Map<String, OnnxTensor> tensors() {
        return tensors;
    }

    /** Runs the model and drops what it gives. */
    void run() {
        try (OrtSession.Result result = session.run(tensors)) {
            if (result.size() == 0) {
                throw new OnnxRuntimeException("the model gave nothing", null);
            }
        } catch (OrtException e) {
            throw new OnnxRuntimeException(String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    public void close() {
        tensors.values().forEach(OnnxTensor::close);
    }
}
