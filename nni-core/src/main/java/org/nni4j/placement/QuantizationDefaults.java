package org.nni4j.placement;

import java.util.Map;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/**
 * What holds where a config entry names no dtype or scheme. A value given to a quantizer, never a
 * global.
 *
 * @param dtypes one for each quant type
 * @param schemes one for each quant type
 */
public record QuantizationDefaults(
        Map<QuantType, QuantizationDtype> dtypes, Map<QuantType, QuantizationScheme> schemes) {

    /**
     * Copies, and checks that nothing is missing.
     *
     * @throws IllegalArgumentException if a quant type has no default
     */
    public QuantizationDefaults {
        dtypes = Map.copyOf(dtypes);
        schemes = Map.copyOf(schemes);
        for (QuantType type : QuantType.values()) {
            if (!dtypes.containsKey(type) || !schemes.containsKey(type)) {
                throw new IllegalArgumentException("no default dtype or scheme for " + type.key());
            }
        }
    }

    /**
     * Returns what integer runtimes execute: weights int per channel symmetric, inputs and outputs
     * uint per tensor affine.
     *
     * @return the defaults of every quantizer
     */
    public static QuantizationDefaults runtime() {
        return new QuantizationDefaults(
                Map.of(
                        QuantType.WEIGHT, QuantizationDtype.INT,
                        QuantType.INPUT, QuantizationDtype.UINT,
                        QuantType.OUTPUT, QuantizationDtype.UINT),
                Map.of(
                        QuantType.WEIGHT, QuantizationScheme.PER_CHANNEL_SYMMETRIC,
                        QuantType.INPUT, QuantizationScheme.PER_TENSOR_AFFINE,
                        QuantType.OUTPUT, QuantizationScheme.PER_TENSOR_AFFINE));
    }

    /**
     * Returns NNI 2.x's defaults: uint per tensor affine for everything.
     *
     * @return for comparing with NNI
     */
    public static QuantizationDefaults nni() {
        return uniform(QuantizationDtype.UINT, QuantizationScheme.PER_TENSOR_AFFINE);
    }

    /**
     * Returns the same dtype and scheme for weights, inputs and outputs.
     *
     * @param dtype signed or unsigned
     * @param scheme affine or symmetric, per tensor or channel
     * @return the defaults
     */
    public static QuantizationDefaults uniform(QuantizationDtype dtype, QuantizationScheme scheme) {
        return new QuantizationDefaults(
                Map.of(
                        QuantType.WEIGHT, dtype,
                        QuantType.INPUT, dtype,
                        QuantType.OUTPUT, dtype),
                Map.of(
                        QuantType.WEIGHT, scheme,
                        QuantType.INPUT, scheme,
                        QuantType.OUTPUT, scheme));
    }

    QuantizationDtype dtype(QuantType type) {
        return java.util.Objects.requireNonNull(dtypes.get(type));
    }

    QuantizationScheme scheme(QuantType type) {
        return java.util.Objects.requireNonNull(schemes.get(type));
    }
}
