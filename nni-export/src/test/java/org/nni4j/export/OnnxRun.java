package org.nni4j.export;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs an ONNX file on DJL's arrays. */
final class OnnxRun implements AutoCloseable {

    /** A float output. */
    record Output(float[] elements, Shape shape) {}

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    OnnxRun(Path file) throws OrtException {
        this(file, OrtSession.SessionOptions.OptLevel.ALL_OPT);
    }

    /** With one thread: the results of some operators depend on how many there are. */
    OnnxRun(Path file, OrtSession.SessionOptions.OptLevel optimization) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(optimization);
            options.setIntraOpNumThreads(1);
            session = environment.createSession(file.toString(), options);
        }
    }

    List<Output> run(NDList inputs) throws OrtException {
        Map<String, OnnxTensor> given = new LinkedHashMap<>();
        try {
            for (String name : session.getInputNames()) {
                given.put(name, tensor(inputs.get(given.size())));
            }
            try (OrtSession.Result result = session.run(given)) {
                List<Output> outputs = new ArrayList<>();
                for (Map.Entry<String, OnnxValue> entry : result) {
                    outputs.add(output((OnnxTensor) entry.getValue()));
                }
                return outputs;
            }
        } finally {
            given.values().forEach(OnnxTensor::close);
        }
    }

    private static Output output(OnnxTensor tensor) {
        FloatBuffer buffer = tensor.getFloatBuffer();
        float[] elements = new float[buffer.remaining()];
        buffer.get(elements);
        return new Output(elements, new Shape(tensor.getInfo().getShape()));
    }

    private OnnxTensor tensor(NDArray array) throws OrtException {
        long[] shape = array.getShape().getShape();
        return array.getDataType() == DataType.INT64
                ? OnnxTensor.createTensor(environment, LongBuffer.wrap(array.toLongArray()), shape)
                : OnnxTensor.createTensor(
                        environment, FloatBuffer.wrap(array.toFloatArray()), shape);
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
