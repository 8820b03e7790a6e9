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

    /** Copies the ranges. */
    public TensorCalibration {
        min = copy(min);
        max = copy(max);
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
