package org.nni4j.export.integer;

import org.nni4j.graph.ParameterRead;

/** The weights of a quantized network, as evaluation computes with them. */
@FunctionalInterface
public interface NetworkWeights {

    /**
     * Returns a fake-quantized weight, with the BatchNorm that training folded in.
     *
     * @param read which parameter
     * @return row by row, in the parameter's own layout
     */
    float[] quantized(ParameterRead read);
}
