package org.nni4j.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a constant came from, and what it holds.
 *
 * @param method the {@code NDManager} method that made it, {@code set} for an array filled from
 *     Java, or {@link #CAPTURED} for an array the network brought along (a field, for instance)
 * @param attributes the arguments it was made with, by name
 * @param data its elements in native byte order, row by row; null where they were not kept (see
 *     {@link #MAX_BYTES})
 */
public record Constant(String method, Map<String, Object> attributes, byte @Nullable [] data) {

    /** The method of a constant that was not made inside the forward pass. */
    public static final String CAPTURED = "captured";

    /** Constants that are larger than this keep no data, only how they were made: 16 MiB. */
    public static final long MAX_BYTES = 1L << 24;

    /** Copies. */
    public Constant {
        attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
        data = data == null ? null : data.clone();
    }

    /**
     * Returns a copy of the elements.
     *
     * @return native byte order, row by row; null where they were not kept
     */
    @Override
    public byte @Nullable [] data() {
        return data == null ? null : data.clone();
    }

    /**
     * Returns the elements for reading.
     *
     * @return a read-only view in native byte order; empty where they were not kept
     */
    public Optional<ByteBuffer> buffer() {
        return Optional.ofNullable(data)
                .map(d -> ByteBuffer.wrap(d).asReadOnlyBuffer().order(ByteOrder.nativeOrder()));
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof Constant c
                && method.equals(c.method)
                && attributes.equals(c.attributes)
                && Arrays.equals(data, c.data);
    }

    @Override
    public int hashCode() {
        return 31 * Objects.hash(method, attributes) + Arrays.hashCode(data);
    }

    @Override
    public String toString() {
        return method + attributes + (data == null ? "" : " " + data.length + " bytes");
    }
}
