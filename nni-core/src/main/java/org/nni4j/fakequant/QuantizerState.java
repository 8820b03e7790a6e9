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
}
