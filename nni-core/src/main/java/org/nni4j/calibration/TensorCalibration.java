package org.nni4j.calibration;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * How one tensor is quantized.
 *
 * @param type bits and dtype
 * @param scheme how the range became parameters
 * @param parameters scale and zero point
 * @param min the tracked minimum, one value or one per channel; null where the algorithm tracks
 *     none
 * @param max the tracked maximum, as min
 */
public record TensorCalibration(
        QuantizedType type,
        QuantizationScheme scheme,
        QuantizationParameters parameters,
        float @Nullable [] min,
        float @Nullable [] max) {

    /**
     * Copies the ranges, and checks that everything belongs together.
     *
     * @throws IllegalArgumentException if there are not as many minima and maxima as scales (or
     *     none of both), if a zero point is outside the type's range, or if per-channel parameters
     *     come with a per-tensor scheme
     */
    public TensorCalibration {
        min = copy(min);
        max = copy(max);
        int channels = parameters.scale().length;
        if ((min == null) != (max == null)
                || (min != null && min.length != channels)
                || (max != null && max.length != channels)) {
            throw new IllegalArgumentException(
                    "got "
                            + length(min)
                            + " minima and "
                            + length(max)
                            + " maxima for "
                            + channels
                            + " scales; expected as many, or none of both");
        }
        for (int zeroPoint : parameters.zeroPoint()) {
            if (zeroPoint < type.qmin() || zeroPoint > type.qmax()) {
                throw new IllegalArgumentException(
                        "zero point "
                                + zeroPoint
                                + " is outside "
                                + type
                                + "; expected "
                                + type.qmin()
                                + ".."
                                + type.qmax());
            }
        }
        if ((parameters.axis() == QuantizationParameters.PER_TENSOR) == scheme.isPerChannel()) {
            throw new IllegalArgumentException(
                    "axis " + parameters.axis() + " does not go with scheme " + scheme.key());
        }
    }

    private static String length(float @Nullable [] values) {
        return values == null ? "no" : String.valueOf(values.length);
    }

    @Override
    public float @Nullable [] min() {
        return copy(min);
    }

    @Override
    public float @Nullable [] max() {
        return copy(max);
    }

    private static float @Nullable [] copy(float @Nullable [] values) {
        return values == null ? null : values.clone();
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof TensorCalibration c
                && type.equals(c.type)
                && scheme == c.scheme
                && parameters.equals(c.parameters)
                && Arrays.equals(min, c.min)
                && Arrays.equals(max, c.max);
    }

    @Override
    public int hashCode() {
        return Objects.hash(type, scheme, parameters, Arrays.hashCode(min), Arrays.hashCode(max));
    }

    @Override
    public String toString() {
        return type
                + " "
                + scheme
                + ", "
                + parameters
                + ", min "
                + Arrays.toString(min)
                + ", max "
                + Arrays.toString(max);
    }
}
