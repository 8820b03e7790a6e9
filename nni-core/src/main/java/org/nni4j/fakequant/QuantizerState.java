package org.nni4j.fakequant;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A snapshot of one quantizer.
 *
 * @param arrays float values by name, for instance {@code "min"}; never null, copied by the reader
 *     and the writer
 * @param counters whole numbers by name, for instance {@code "observed"}
 */
public record QuantizerState(Map<String, float[]> arrays, Map<String, Long> counters) {

    /** Copies the maps (not the arrays). */
    public QuantizerState {
        arrays = new LinkedHashMap<>(arrays);
        counters = new LinkedHashMap<>(counters);
    }

    /**
     * Returns an array that must be there.
     *
     * @param name its name
     * @param length its length
     * @return the values
     * @throws IllegalArgumentException if it is missing or of another length
     */
    public float[] array(String name, int length) {
        float[] values = arrays.get(name);
        if (values == null || values.length != length) {
            throw new IllegalArgumentException(
                    "quantizer state \""
                            + name
                            + "\": got "
                            + (values == null ? "nothing" : values.length + " values")
                            + "; expected "
                            + length);
        }
        return values;
    }

    /**
     * Returns a counter that must be there.
     *
     * @param name its name
     * @return the value
     * @throws IllegalArgumentException if it is missing
     */
    public long counter(String name) {
        Long value = counters.get(name);
        if (value == null) {
            throw new IllegalArgumentException("quantizer state \"" + name + "\" is missing");
        }
        return value;
    }
}
