package org.nni4j.export.operator;

/** Writes ONNX nodes for one traced operator. */
@FunctionalInterface
public interface OperatorMapping {

    /**
     * Adds the nodes and names the operator's outputs by {@link Emission#result} or {@link
     * Emission#bind}.
     *
     * @param emission the operator and where to write
     * @throws UnmappedException if the operator cannot be written with these attributes or types
     */
    void emit(Emission emission);
}
