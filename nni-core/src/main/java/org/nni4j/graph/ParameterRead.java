package org.nni4j.graph;

/**
 * The parameter an operator reads.
 *
 * @param layer the dotted path of the layer that owns it; empty for a parameter of the network's
 *     own root block
 * @param name its name within the layer, for instance {@code weight}
 */
public record ParameterRead(String layer, String name) implements Comparable<ParameterRead> {

    @Override
    public int compareTo(ParameterRead other) {
        int byLayer = layer.compareTo(other.layer);
        return byLayer != 0 ? byLayer : name.compareTo(other.name);
    }

    /** Returns {@code layer.name}. */
    @Override
    public String toString() {
        return layer.isEmpty() ? name : layer + "." + name;
    }
}
