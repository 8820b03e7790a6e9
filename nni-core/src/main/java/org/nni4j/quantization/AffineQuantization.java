package org.nni4j.quantization;

/**
 * The one formula, on plain Java numbers: {@code q = clamp(round(x / s) + z, qmin, qmax)} and
 * {@code x̂ = (q - z) · s}, in float32, rounding half to even, as ONNX QuantizeLinear and
 * DequantizeLinear state it.
 *
 * <p>{@link QuantizationKernels} computes the same on tensors. Infinite values saturate; NaN stays
 * NaN in {@link #fakeQuantize} and has no integer, so {@link #quantize} refuses it.
 */
public final class AffineQuantization {

    /** The smallest scale: float32's machine epsilon, so that a constant tensor has a scale too. */
    public static final float EPSILON = 1.1920929e-07f;

    private AffineQuantization() {}

    /**
     * Quantizes one value.
     *
     * @param x any value but NaN; infinities saturate
     * @param scale positive and finite
     * @param zeroPoint within {@code qmin..qmax}
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @return the integer, {@code qmin..qmax}
     * @throws IllegalArgumentException if x is NaN
     */
    public static int quantize(float x, float scale, int zeroPoint, int qmin, int qmax) {
        if (Float.isNaN(x)) {
            throw new IllegalArgumentException("NaN has no quantized value");
        }
        return (int) clampedInteger(x, scale, zeroPoint, qmin, qmax);
    }

    /**
     * Quantizes values that share one scale.
     *
     * @param x any values but NaN; infinities saturate
     * @param scale positive and finite
     * @param zeroPoint within the type's range
     * @param type the integer type
     * @return as many integers
     * @throws IllegalArgumentException if a value is NaN
     */
    public static int[] quantize(float[] x, float scale, int zeroPoint, QuantizedType type) {
        int[] q = new int[x.length];
        for (int i = 0; i < x.length; i++) {
            if (Float.isNaN(x[i])) {
                throw new IllegalArgumentException("[" + i + "]: NaN has no quantized value");
            }
            q[i] = quantize(x[i], scale, zeroPoint, type.qmin(), type.qmax());
        }
        return q;
    }

    /**
     * Gives the value an integer stands for.
     *
     * @param q the integer
     * @param scale positive and finite
     * @param zeroPoint the integer that stands for 0
     * @return {@code (q - zeroPoint) · scale}
     */
    public static float dequantize(int q, float scale, int zeroPoint) {
        return (q - zeroPoint) * scale;
    }

    /**
     * Gives the values integers stand for.
     *
     * @param q the integers
     * @param scale positive and finite
     * @param zeroPoint the integer that stands for 0
     * @return as many values
     */
    public static float[] dequantize(int[] q, float scale, int zeroPoint) {
        float[] x = new float[q.length];
        for (int i = 0; i < q.length; i++) {
            x[i] = dequantize(q[i], scale, zeroPoint);
        }
        return x;
    }

    /**
     * Quantizes a value and gives back what its integer stands for.
     *
     * @param x any value; NaN stays NaN
     * @param scale positive and finite
     * @param zeroPoint within {@code qmin..qmax}
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @return the nearest value the type can hold
     */
    public static float fakeQuantize(float x, float scale, int zeroPoint, int qmin, int qmax) {
        return (clampedInteger(x, scale, zeroPoint, qmin, qmax) - zeroPoint) * scale;
    }

    /**
     * Turns a range into scale and zero point.
     *
     * <p>The range is first widened to contain 0, which then is exact. Affine: {@code s = (max -
     * min) / (qmax - qmin)}, {@code z = clamp(qmin - round(min / s), qmin, qmax)}. Symmetric:
     * {@code s = max(|min|, |max|) / ((qmax - qmin) / 2)}, and z is 0 for {@code int} or {@code
     * floor((qmin + qmax) / 2)} for {@code uint}. A scale is never below {@link #EPSILON} nor
     * infinite, so constant, zero, denormal and the widest ranges have finite parameters.
     *
     * @param min finite
     * @param max finite, at least min
     * @param type the integer type
     * @param scheme affine or symmetric; whether it is per channel makes no difference here
     * @return per-tensor parameters
     * @throws IllegalArgumentException if a bound is NaN or infinite, if min is above max, or if
     *     the type has a single value
     */
    public static QuantizationParameters parametersFor(
            float min, float max, QuantizedType type, QuantizationScheme scheme) {
        checkType(type);
        checkRange(min, max, "");
        float scale = scaleFor(min, max, type, scheme);
        return QuantizationParameters.perTensor(
                scale, zeroPointFor(Math.min(min, 0f), scale, type, scheme));
    }

    /**
     * Turns one range per channel into scales and zero points; see {@link #parametersFor(float,
     * float, QuantizedType, QuantizationScheme)}.
     *
     * @param min one finite bound per channel
     * @param max as many, each at least its min
     * @param type the integer type
     * @param scheme affine or symmetric
     * @param axis the channel axis
     * @return per-channel parameters
     * @throws IllegalArgumentException if a range is not valid (the message names the channel), if
     *     the lengths differ, or if the type has a single value
     */
    public static QuantizationParameters parametersFor(
            float[] min, float[] max, QuantizedType type, QuantizationScheme scheme, int axis) {
        checkType(type);
        if (min.length != max.length) {
            throw new IllegalArgumentException(
                    "got "
                            + min.length
                            + " minima and "
                            + max.length
                            + " maxima; expected as many");
        }
        float[] scale = new float[min.length];
        int[] zeroPoint = new int[min.length];
        for (int i = 0; i < min.length; i++) {
            checkRange(min[i], max[i], "channel " + i + ": ");
            scale[i] = scaleFor(min[i], max[i], type, scheme);
            zeroPoint[i] = zeroPointFor(Math.min(min[i], 0f), scale[i], type, scheme);
        }
        return new QuantizationParameters(scale, zeroPoint, axis);
    }

    /** The zero point that symmetric schemes give a type. */
    static int symmetricZeroPoint(QuantizedType type) {
        return Math.floorDiv(type.qmin() + type.qmax(), 2);
    }

    /** Refuses types no range can be mapped to: {@code int1} holds 0 and nothing else. */
    static void checkType(QuantizedType type) {
        if (type.qmin() == type.qmax()) {
            throw new IllegalArgumentException(
                    type
                            + " holds the single value "
                            + type.qmin()
                            + "; expected at least 2 values");
        }
    }

    private static float clampedInteger(float x, float scale, int zeroPoint, int qmin, int qmax) {
        // Adding the zero point in float32 is exact wherever the clamp does not decide anyway.
        float q = (float) Math.rint(x / scale) + zeroPoint;
        return Math.max(qmin, Math.min(qmax, q));
    }

    private static void checkRange(float min, float max, String where) {
        if (!Float.isFinite(min) || !Float.isFinite(max) || min > max) {
            throw new IllegalArgumentException(
                    where + "range " + min + ".." + max + " is not finite and ascending");
        }
    }

    private static float scaleFor(
            float min, float max, QuantizedType type, QuantizationScheme scheme) {
        float low = Math.min(min, 0f);
        float high = Math.max(max, 0f);
        float steps = type.qmax() - type.qmin();
        float scale;
        if (!scheme.isAffine()) {
            scale = Math.max(-low, high) / (steps / 2);
        } else if (Float.isFinite(high - low)) {
            scale = (high - low) / steps;
        } else {
            scale = high / steps - low / steps;
        }
        return Math.max(Math.min(scale, Float.MAX_VALUE), EPSILON);
    }

    private static int zeroPointFor(
            float low, float scale, QuantizedType type, QuantizationScheme scheme) {
        if (!scheme.isAffine()) {
            return symmetricZeroPoint(type);
        }
        int zeroPoint = type.qmin() - (int) Math.rint(low / scale);
        return Math.max(type.qmin(), Math.min(type.qmax(), zeroPoint));
    }
}
