package org.nni4j.quantization;

/**
 * An integer type of a given width, for instance {@code int8} (−127..127) or {@code uint4} (0..15).
 *
 * @param bits the width, 1..16
 * @param dtype signed or unsigned
 */
public record QuantizedType(int bits, QuantizationDtype dtype) {

    /** The widest supported type. */
    public static final int MAX_BITS = 16;

    /**
     * Checks the width.
     *
     * @throws IllegalArgumentException if bits is outside 1..16
     */
    public QuantizedType {
        if (bits < 1 || bits > MAX_BITS) {
            throw new IllegalArgumentException(
                    bits + " bits is not supported; expected 1.." + MAX_BITS);
        }
    }

    /**
     * Returns the smallest quantized value.
     *
     * @return {@code -(2^(bits-1)-1)} if signed, else 0
     */
    public int qmin() {
        return dtype == QuantizationDtype.INT ? -qmax() : 0;
    }

    /**
     * Returns the largest quantized value.
     *
     * @return {@code 2^(bits-1)-1} if signed, else {@code 2^bits-1}
     */
    public int qmax() {
        return dtype == QuantizationDtype.INT ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    }

    @Override
    public String toString() {
        return dtype.key() + bits;
    }
}
