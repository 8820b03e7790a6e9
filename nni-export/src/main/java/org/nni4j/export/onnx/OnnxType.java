package org.nni4j.export.onnx;

import ai.djl.ndarray.types.DataType;

/** An element type of ONNX tensors. */
public enum OnnxType {
    /** 32-bit float. */
    FLOAT32(1, 32),
    /** Unsigned 8-bit integer. */
    UINT8(2, 8),
    /** Signed 8-bit integer. */
    INT8(3, 8),
    /** Unsigned 16-bit integer. */
    UINT16(4, 16),
    /** Signed 16-bit integer. */
    INT16(5, 16),
    /** Signed 32-bit integer. */
    INT32(6, 32),
    /** Signed 64-bit integer. */
    INT64(7, 64),
    /** One byte each, 0 or 1. */
    BOOL(9, 8),
    /** 16-bit float. */
    FLOAT16(10, 16),
    /** 64-bit float. */
    FLOAT64(11, 64),
    /** Unsigned 4-bit integer, two to a byte; needs opset 21. */
    UINT4(21, 4),
    /** Signed 4-bit integer, two to a byte; needs opset 21. */
    INT4(22, 4);

    private final int code;
    private final int bits;

    OnnxType(int code, int bits) {
        this.code = code;
        this.bits = bits;
    }

    /**
     * Returns the number the format knows it by.
     *
     * @return a {@code TensorProto.DataType}
     */
    public int code() {
        return code;
    }

    /**
     * Returns its width.
     *
     * @return in bits
     */
    public int bits() {
        return bits;
    }

    /**
     * Tells whether it is a floating type.
     *
     * @return false for integers and booleans
     */
    public boolean isFloating() {
        return this == FLOAT32 || this == FLOAT16 || this == FLOAT64;
    }

    /**
     * Finds the type of DJL's arrays of a type.
     *
     * @param type of the array
     * @return the same type
     * @throws IllegalArgumentException if ONNX models are not written with this type
     */
    public static OnnxType of(DataType type) {
        return switch (type) {
            case FLOAT32 -> FLOAT32;
            case FLOAT16 -> FLOAT16;
            case FLOAT64 -> FLOAT64;
            case UINT8 -> UINT8;
            case INT8 -> INT8;
            case INT16 -> INT16;
            case INT32 -> INT32;
            case INT64 -> INT64;
            case BOOLEAN -> BOOL;
            default ->
                    throw new IllegalArgumentException(
                            "data type "
                                    + type
                                    + " has no ONNX tensor type here; expected a float, an integer"
                                    + " of 8 to 64 bits, or boolean");
        };
    }
}
