package org.nni4j.algorithm;

import java.util.List;
import java.util.Map;

/** Reads an entry's algorithm settings, with errors that name the layer and the key. */
public final class PointSettings {

    private final QuantizationPoint point;
    private final Map<String, Object> settings;

    /**
     * Reads the settings of a point.
     *
     * @param point the point
     */
    public PointSettings(QuantizationPoint point) {
        this.point = point;
        this.settings = point.settings();
    }

    /**
     * Reads a number.
     *
     * @param key the setting's key
     * @param absent what holds if it is not set
     * @param atLeast the smallest number allowed
     * @param atMost the largest
     * @return the number
     * @throws IllegalArgumentException if it is another kind of value, or out of bounds
     */
    public double number(String key, double absent, double atLeast, double atMost) {
        Object value = settings.getOrDefault(key, absent);
        if (value instanceof Number number
                && number.doubleValue() >= atLeast
                && number.doubleValue() <= atMost) {
            return number.doubleValue();
        }
        throw wrong(key, value, atLeast + ".." + atMost);
    }

    /**
     * Reads a flag.
     *
     * @param key the setting's key
     * @param absent what holds if it is not set
     * @return true or false
     * @throws IllegalArgumentException if it is another kind of value
     */
    public boolean flag(String key, boolean absent) {
        Object value = settings.getOrDefault(key, absent);
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw wrong(key, value, "true or false");
    }

    /**
     * Reads one of several words.
     *
     * @param key the setting's key
     * @param allowed the words; the first holds if the key is not set
     * @return the word
     * @throws IllegalArgumentException if it is another word
     */
    public String word(String key, List<String> allowed) {
        Object value = settings.getOrDefault(key, allowed.get(0));
        if (value instanceof String word && allowed.contains(word)) {
            return word;
        }
        throw wrong(key, value, "one of " + allowed);
    }

    private IllegalArgumentException wrong(String key, Object value, String expected) {
        return new IllegalArgumentException(
                point + ": " + key + ": " + value + " is not supported; expected " + expected);
    }
}
