package org.nni4j.export.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that goes into ONNX Runtime or comes out of it, held in Java's memory.
 *
 * @param type of the elements
 * @param shape its sizes; none for a scalar
 * @param data elements in native byte order, row by row; shared, not to be changed
 */
public record RuntimeTensor(DataType type, long[] shape, ByteBuffer data) {

    /**
     * Copies the shape.
     *
     * @throws IllegalArgumentException if the data are not as long as the shape says
     */
    public RuntimeTensor {
        shape = shape.clone();
        data = data.slice().order(ByteOrder.nativeOrder());
        long expected = Arrays.stream(shape).reduce(1, Math::multiplyExact) * type.getNumOfBytes();
        if (data.remaining() != expected) {
            throw new IllegalArgumentException(
                    type
                            + " "
                            + Arrays.toString(shape)
                            + ": "
                            + data.remaining()
                            + " bytes; expected "
                            + expected);
        }
    }

    /**
     * Copies an array.
     *
     * @param array of any type
     * @return the same elements
     */
    public static RuntimeTensor of(NDArray array) {
        ByteBuffer from = array.toByteBuffer().order(ByteOrder.nativeOrder());
        ByteBuffer copy = buffer(from.remaining());
        copy.put(from).rewind();
        return new RuntimeTensor(array.getDataType(), array.getShape().getShape(), copy);
    }

    /**
     * Copies floats.
     *
     * @param elements row by row
     * @param shape their sizes
     * @return a float32 tensor
     */
    public static RuntimeTensor floats(float[] elements, long... shape) {
        ByteBuffer data = buffer(elements.length * Float.BYTES);
        data.asFloatBuffer().put(elements);
        return new RuntimeTensor(DataType.FLOAT32, shape, data);
    }

    /**
     * Copies integers of eight bits.
     *
     * @param elements row by row
     * @param signed whether they are int8; else uint8
     * @param shape their sizes
     * @return an int8 or uint8 tensor
     */
    public static RuntimeTensor bytes(int[] elements, boolean signed, long... shape) {
        ByteBuffer data = buffer(elements.length);
        for (int element : elements) {
            data.put((byte) element);
        }
        return new RuntimeTensor(signed ? DataType.INT8 : DataType.UINT8, shape, data.rewind());
    }

    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    /**
     * Returns the elements of a float32 tensor.
     *
     * @return row by row
     * @throws IllegalStateException if it is of another type
     */
    public float[] floats() {
        if (type != DataType.FLOAT32) {
            throw new IllegalStateException("the tensor is of type " + type);
        }
        float[] elements = new float[data.remaining() / Float.BYTES];
        data.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer().get(elements);
        return elements;
    }

    /**
     * Returns the elements of a tensor of integers of 8 to 32 bits.
     *
     * @return row by row, unsigned ones as they are meant
     * @throws IllegalStateException if it is of another type
     */
    public int[] integers() {
        ByteBuffer from = data.duplicate().order(ByteOrder.nativeOrder());
        int[] elements = new int[from.remaining() / type.getNumOfBytes()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] =
                    switch (type) {
                        case UINT8 -> from.get() & 0xFF;
                        case INT8 -> from.get();
                        case INT32 -> from.getInt();
                        default -> throw new IllegalStateException("the tensor is of type " + type);
                    };
        }
        return elements;
    }

    /**
     * Makes an array.
     *
     * @param manager owns it
     * @return the same elements
     */
    public NDArray toArray(NDManager manager) {
        return manager.create(
                data.duplicate().order(ByteOrder.nativeOrder()), new Shape(shape), type);
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof RuntimeTensor t
                && type == t.type
                && Arrays.equals(shape, t.shape)
                && data.equals(t.data);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * type.hashCode() + Arrays.hashCode(shape)) + data.hashCode();
    }

    @Override
    public String toString() {
        return type + " " + Arrays.toString(shape);
    }
}
