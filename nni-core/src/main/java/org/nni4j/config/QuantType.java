package org.nni4j.config;

/** Which tensors of a layer an entry quantizes. */
public enum QuantType {
    /** The layer's weight parameters. */
    WEIGHT("weight"),
    /** What the layer reads. */
    INPUT("input"),
    /** What the layer returns. */
    OUTPUT("output");

    private final String key;

    QuantType(String key) {
        this.key = key;
    }

    /**
     * Returns the spelling used in config lists.
     *
     * @return {@code "weight"}, {@code "input"} or {@code "output"}
     */
    public String key() {
        return key;
    }
}
