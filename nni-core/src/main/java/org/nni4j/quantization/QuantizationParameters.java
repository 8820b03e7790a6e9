package org.nni4j.quantization;

import java.util.Arrays;

/**
 * Scale and zero point of one tensor: {@code q = clamp(round_half_even(x / scale) + zeroPoint,
 * qmin, qmax)}.
 *
 * @param scale one positive finite scale per channel, or a single one per tensor
 * @param zeroPoint as many zero points as scales, each within the type's range
 * @param axis the channel axis, or {@link #PER_TENSOR}
 */
public record QuantizationParameters(float[] scale, int[] zeroPoint, int axis) {

    /** The axis of parameters that hold for a whole tensor. */
    public static final int PER_TENSOR = -1;

    /**
     * Checks and copies.
     *
     * @throws IllegalArgumentException if a scale is not positive and finite, if the lengths
     *     differ, or if per-tensor parameters hold more than one scale
     */
    public QuantizationParameters {
        if (scale.length != zeroPoint.length || scale.length == 0) {
            throw new IllegalArgumentException(
                    "got "
                            + scale.length
                            + " scales and "
                            + zeroPoint.length
                            + " zero points; expected as many, at least one");
        }
        if (axis < PER_TENSOR || (axis == PER_TENSOR && scale.length != 1)) {
            throw new IllegalArgumentException(
                    "axis " + axis + " does not go with " + scale.length + " scales");
        }
        for (float s : scale) {
            if (!(s > 0) || Float.isInfinite(s)) {
                throw new IllegalArgumentException(
                        "scale " + s + " is not a positive finite number");
            }
        }
        scale = scale.clone();
        zeroPoint = zeroPoint.clone();
    }

    /**
     * Makes per-tensor parameters.
     *
     * @param scale the scale, positive and finite
     * @param zeroPoint the zero point
     * @return the parameters
     */
    public static QuantizationParameters perTensor(float scale, int zeroPoint) {
        return new QuantizationParameters(new float[] {scale}, new int[] {zeroPoint}, PER_TENSOR);
    }

    @Override
    public float[] scale() {
        return scale.clone();
    }

    @Override
    public int[] zeroPoint() {
        return zeroPoint.clone();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof QuantizationParameters p
                && axis == p.axis
                && Arrays.equals(scale, p.scale)
                && Arrays.equals(zeroPoint, p.zeroPoint);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * Arrays.hashCode(scale) + Arrays.hashCode(zeroPoint)) + axis;
    }

    @Override
    public String toString() {
        return "scale "
                + Arrays.toString(scale)
                + ", zero point "
                + Arrays.toString(zeroPoint)
                + (axis == PER_TENSOR ? "" : ", axis " + axis);
    }
}
