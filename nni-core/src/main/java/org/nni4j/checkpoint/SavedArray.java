package org.nni4j.checkpoint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;

/**
 * The values of one array, as plain bytes.
 *
 * @param type their type
 * @param shape their shape
 * @param data in row-major order, little-endian; read-only, and exactly as many bytes as type and
 *     shape take
 */
public record SavedArray(DataType type, Shape shape, ByteBuffer data) {

    /**
     * Checks.
     *
     * @throws IllegalArgumentException if the number of bytes is another
     */
    public SavedArray {
        data = data.asReadOnlyBuffer();
        long expected = Math.multiplyExact(shape.size(), (long) type.getNumOfBytes());
        if (data.remaining() != expected) {
            throw new IllegalArgumentException(
                    data.remaining()
                            + " bytes for "
                            + type
                            + " of shape "
                            + shape
                            + "; expected "
                            + expected);
        }
    }

    /**
     * Copies an array's values.
     *
     * @param array on any device
     * @return its values as they are now
     */
    public static SavedArray of(NDArray array) {
        ByteBuffer bytes = array.toByteBuffer();
        ByteBuffer copy = ByteBuffer.allocate(bytes.remaining());
        copy.put(bytes).flip();
        return new SavedArray(array.getDataType(), array.getShape(), copy);
    }

    /**
     * Tells whether an array can take the values.
     *
     * @param array any
     * @return true if type and shape are the same
     */
    public boolean fits(NDArray array) {
        return array.getDataType() == type && array.getShape().equals(shape);
    }

    /**
     * Overwrites an array in place, so that whoever holds it sees the values.
     *
     * @param array of the same type and shape
     * @throws IllegalArgumentException if it is not
     */
    public void copyTo(NDArray array) {
        if (!fits(array)) {
            throw new IllegalArgumentException(
                    this + " does not fit " + array.getDataType() + " " + array.getShape());
        }
        // Copied by the engine, which counts the change: whatever was computed of the array before
        // is known to be stale.
        try (NDArray fresh = toArray(array.getManager())) {
            fresh.copyTo(array);
        }
    }

    /**
     * Makes an array of the values.
     *
     * @param manager will own it
     * @return a new array
     */
    public NDArray toArray(NDManager manager) {
        NDArray array = manager.create(shape, type);
        if (shape.size() > 0) {
            array.set(bytes());
        }
        return array;
    }

    /** A copy, since the engine keeps hold of what it is given. */
    private ByteBuffer bytes() {
        ByteBuffer copy = ByteBuffer.allocate(data.remaining());
        copy.put(data.duplicate()).flip();
        return copy;
    }

    /** Type and shape, without the values. */
    @Override
    public String toString() {
        return type + " " + shape;
    }
}
