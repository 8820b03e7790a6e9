package org.nni4j.export;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What an export wrote.
 *
 * @param file the ONNX file
 * @param bytes its size
 * @param opset the version of ONNX's operators
 * @param inputs the names of the model's inputs
 * @param outputs the names of the model's outputs
 * @param anyBatch whether the model takes any batch size; if not, that of the dummy input alone
 * @param operators how often each ONNX operator is there
 * @param notes what the user should know, one line each
 */
public record OnnxExport(
        Path file,
        long bytes,
        int opset,
        List<String> inputs,
        List<String> outputs,
        boolean anyBatch,
        Map<String, Integer> operators,
        List<String> notes) {

    /** Copies. */
    public OnnxExport {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        operators = Map.copyOf(operators);
        notes = List.copyOf(notes);
    }
}
