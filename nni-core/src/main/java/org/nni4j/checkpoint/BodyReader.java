package org.nni4j.checkpoint;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Takes values out of a checkpoint's body. A length counts only if as many bytes are there;
 * anything else is an {@link IllegalArgumentException}.
 */
final class BodyReader {

    private final ByteBuffer bytes;

    BodyReader(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    private ByteBuffer take(long length) {
        if (length < 0 || length > bytes.remaining()) {
            throw new IllegalArgumentException(
                    length + " bytes are announced where " + bytes.remaining() + " are left");
        }
        ByteBuffer taken = bytes.slice().limit((int) length);
        bytes.position(bytes.position() + (int) length);
        return taken;
    }

    String text() {
        ByteBuffer utf8 = take(take(Integer.BYTES).getInt());
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a text is not UTF-8", e);
        }
    }

    long number(long min, long max) {
        return within(take(Long.BYTES).getLong(), min, max);
    }

    int whole(int min) {
        return (int) within(take(Integer.BYTES).getInt(), min, Integer.MAX_VALUE);
    }

    /** A count in one byte. */
    int count(int most) {
        return (int) within(take(1).get(), 0, most);
    }

    boolean flag() {
        return within(take(1).get(), 0, 1) == 1;
    }

    private static long within(long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(value + "; expected " + min + ".." + max);
        }
        return value;
    }

    float[] floats() {
        int count = take(Integer.BYTES).getInt();
        ByteBuffer taken = take((long) count * Float.BYTES);
        float[] values = new float[count];
        taken.asFloatBuffer().get(values);
        return values;
    }

    /** Items take at least one byte each, so a hostile count ends with the bytes. */
    <T> List<T> list(Supplier<T> item) {
        int count = take(Integer.BYTES).getInt();
        if (count < 0 || count > bytes.remaining()) {
            throw new IllegalArgumentException(
                    count + " items are announced where " + bytes.remaining() + " bytes are left");
        }
        List<T> items = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            items.add(item.get());
        }
        return items;
    }

    <T> Map<String, T> map(Supplier<T> value) {
        Map<String, T> map = new LinkedHashMap<>();
        list(
                () -> {
                    String key = text();
                    if (map.put(key, value.get()) != null) {
                        throw new IllegalArgumentException("a key is given twice");
                    }
                    return key;
                });
        return map;
    }

    /** Nothing may be left. */
    void end() {
        if (bytes.hasRemaining()) {
            throw new IllegalArgumentException(bytes.remaining() + " bytes are left over");
        }
    }
}
