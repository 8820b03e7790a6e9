package org.nni4j.algorithms.pact;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Map;
import org.nni4j.quantization.AffineQuantization;

/**
 * The clipping level of statistics-aware weight binning: {@code α = c1 · sqrt(E(w²)) - c2 · E|w|},
 * with coefficients that were fitted for each width to give the least squared error over several
 * distributions.
 *
 * @param root c1
 * @param mean c2
 */
record SawbClipping(double root, double mean) {

    private static final Map<Integer, SawbClipping> BY_BITS =
            Map.of(
                    2, new SawbClipping(3.12, 2.064),
                    3, new SawbClipping(7.509, 6.892),
                    4, new SawbClipping(12.68, 12.80),
                    5, new SawbClipping(17.74, 18.64));

    static boolean supports(int bits) {
        return BY_BITS.containsKey(bits);
    }

    static SawbClipping of(int bits) {
        SawbClipping clipping = BY_BITS.get(bits);
        if (clipping == null) {
            throw new IllegalArgumentException(
                    bits + " bits is not supported by SAWB; expected 2..5");
        }
        return clipping;
    }

    /**
     * Returns α as an array of no dimension; owned by the weight's manager.
     *
     * <p>Computed in float32 at least: in float16 the squares of weights near 1e-4 are 0.
     */
    NDArray level(NDArray weight) {
        NDArray w =
                weight.getDataType() == DataType.FLOAT64
                        ? weight
                        : weight.toType(DataType.FLOAT32, false);
        NDArray level = w.square().mean().sqrt().mul(root).sub(w.abs().mean().mul(mean));
        // Weights of few values of one magnitude can make the fitted difference negative.
        return level.abs().maximum(AffineQuantization.EPSILON);
    }
}
