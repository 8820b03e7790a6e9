package org.nni4j.export.onnx;

/**
 * Which version of the format a model is written in.
 *
 * @param opset version of ONNX's own operators
 * @param ir version of the file format
 */
public record OnnxVersion(int opset, int ir) {

    /** Opset 17, IR 8 (June 2022): read by ONNX Runtime 1.12 and TensorRT 8.6 and later. */
    public static final OnnxVersion STANDARD = new OnnxVersion(17, 8);

    /**
     * Opset 21, IR 10 (March 2024): the first with four-bit tensors; ONNX Runtime 1.18 and later.
     */
    public static final OnnxVersion FOUR_BIT = new OnnxVersion(21, 10);

    /**
     * Checks.
     *
     * @throws IllegalArgumentException if the mappings do not know the opset
     */
    public OnnxVersion {
        if (opset < 17 || opset > 21) {
            throw new IllegalArgumentException(
                    "opset " + opset + " is not written; expected 17..21");
        }
    }

    void check(OnnxType type) {
        if (type.bits() == 4 && opset < 21) {
            throw new IllegalArgumentException(
                    "type " + type + " needs opset 21; the model has opset " + opset);
        }
    }
}
