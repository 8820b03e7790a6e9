package org.nni4j.export.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Elements for an initializer, in the file's form: little endian, row by row, four-bit types two to
 * a byte with the first in the low half.
 */
public final class TensorData {

    private final OnnxType type;
    private final long[] dims;
    private final ByteString bytes;

    private TensorData(OnnxType type, long[] dims, ByteBuffer buffer) {
        this.type = type;
        this.dims = dims.clone();
        // The buffer was made here and is not written to again.
        this.bytes = UnsafeByteOperations.unsafeWrap(buffer);
        long elements = Arrays.stream(dims).reduce(1, Math::multiplyExact);
        long expected = (elements * type.bits() + 7) / 8;
        if (bytes.size() != expected) {
            throw new IllegalArgumentException(
                    "tensor of type "
                            + type
                            + " and shape "
                            + Arrays.toString(dims)
                            + ": "
                            + bytes.size()
                            + " bytes; expected "
                            + expected);
        }
    }

    private static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Makes a float tensor.
     *
     * @param elements row by row
     * @param dims sizes; none for a scalar
     * @return the data; the elements are copied
     * @throws IllegalArgumentException if elements and sizes do not go together
     */
    public static TensorData floats(float[] elements, long... dims) {
        ByteBuffer buffer = allocate(Math.multiplyExact(elements.length, 4));
        buffer.asFloatBuffer().put(elements);
        return new TensorData(OnnxType.FLOAT32, dims, buffer);
    }

    /**
     * Makes an int64 tensor.
     *
     * @param elements row by row
     * @param dims sizes; none for a scalar
     * @return the data; the elements are copied
     * @throws IllegalArgumentException if elements and sizes do not go together
     */
    public static TensorData longs(long[] elements, long... dims) {
        ByteBuffer buffer = allocate(Math.multiplyExact(elements.length, 8));
        buffer.asLongBuffer().put(elements);
        return new TensorData(OnnxType.INT64, dims, buffer);
    }

    /**
     * Makes an int32 tensor.
     *
     * @param elements row by row
     * @param dims sizes; none for a scalar
     * @return the data; the elements are copied
     * @throws IllegalArgumentException if elements and sizes do not go together
     */
    public static TensorData ints(int[] elements, long... dims) {
        ByteBuffer buffer = allocate(Math.multiplyExact(elements.length, 4));
        buffer.asIntBuffer().put(elements);
        return new TensorData(OnnxType.INT32, dims, buffer);
    }

    /**
     * Makes a tensor of integers of eight bits or less.
     *
     * @param type {@code INT8}, {@code UINT8}, {@code BOOL}, {@code INT4} or {@code UINT4}
     * @param elements row by row, one to a byte also for four-bit types, whose upper halves are
     *     dropped
     * @param dims sizes; none for a scalar
     * @return the data; the elements are copied
     * @throws IllegalArgumentException if the type is wider, or elements and sizes do not go
     *     together
     */
    public static TensorData bytes(OnnxType type, byte[] elements, long... dims) {
        if (type.bits() == 8) {
            return new TensorData(type, dims, ByteBuffer.wrap(elements.clone()));
        }
        if (type.bits() != 4) {
            throw new IllegalArgumentException(
                    "type " + type + " has " + type.bits() + " bits; expected 4 or 8");
        }
        byte[] packed = new byte[(elements.length + 1) / 2];
        for (int i = 0; i < elements.length; i++) {
            int half = elements[i] & 0xF;
            packed[i / 2] |= (byte) (i % 2 == 0 ? half : half << 4);
        }
        return new TensorData(type, dims, ByteBuffer.wrap(packed));
    }

    /**
     * Makes a tensor of any type from its bytes.
     *
     * @param type of the elements
     * @param data native or given byte order, row by row; its position stays
     * @param dims sizes; none for a scalar
     * @return the data; copied
     * @throws IllegalArgumentException if elements and sizes do not go together
     */
    public static TensorData raw(OnnxType type, ByteBuffer data, long... dims) {
        ByteBuffer from = data.duplicate().order(data.order());
        ByteBuffer buffer = allocate(from.remaining());
        switch (type.bits()) {
            case 64 -> buffer.asLongBuffer().put(from.asLongBuffer());
            case 32 -> buffer.asIntBuffer().put(from.asIntBuffer());
            case 16 -> buffer.asShortBuffer().put(from.asShortBuffer());
            default -> buffer.duplicate().put(from);
        }
        return new TensorData(type, dims, buffer);
    }

    /**
     * Returns the element type.
     *
     * @return the type
     */
    public OnnxType type() {
        return type;
    }

    /**
     * Returns the sizes.
     *
     * @return empty for a scalar
     */
    public long[] dims() {
        return dims.clone();
    }

    ByteString bytes() {
        return bytes;
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof TensorData t
                && type == t.type
                && Arrays.equals(dims, t.dims)
                && bytes.equals(t.bytes);
    }

    @Override
    public int hashCode() {
        return 31 * Objects.hash(type, bytes) + Arrays.hashCode(dims);
    }

    /** Returns type and shape. */
    @Override
    public String toString() {
        return type + " " + Arrays.toString(dims);
    }
}
