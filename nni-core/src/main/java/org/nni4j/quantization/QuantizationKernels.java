package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * The tensor operations that fake-quantization is made of, with their gradients.
 *
 * <p>Every result is owned by the manager of the method's first argument; so is every temporary. Two implementations
 * exist: plain NDArray operators (any engine, the reference) and fused libtorch kernels (PyTorch engine).
 */
public interface QuantizationKernels {

    /**
     * Returns the implementation's name, as shown in the plan.
     *
     * @return {@code "ndarray"} or {@code "fused"}
     */
    String name();

    /**
     * Finds the range of a tensor, without gradient.
     *
     * @param x any floating shape
     * @param axis the axis to keep, or {@link QuantizationParameters#PER_TENSOR}
     * @return minimum and maximum, each of shape {@code (1)} or {@code (channels)}
     */
    NDList range(NDArray x, int axis);

    /**
     * Turns ranges into scale and zero point, without gradient and without reading anything back to Java.
     *
     * @param min shape {@code (1)} or {@code (channels)}; widened to contain 0
     * @param max as min
     * @param type the integer type
     * @param scheme affine or symmetric
     * @return scale (float32, at least {@link AffineQuantization#EPSILON}) and zero point (int32), shaped as min
     */
    NDList parameters(NDArray min, NDArray max, QuantizedType type, QuantizationScheme scheme);

    /**
     * Fake-quantizes: {@code (clamp(round(x / scale) + zeroPoint, qmin, qmax) - zeroPoint) * scale}. The gradient passes
     * where the unclamped integer is within {@code qmin..qmax} and is 0 elsewhere.
     *
     * @param x any floating shape
     * @param scale shape {@code (1)} or {@code (channels)}
     * @param zeroPoint as scale
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return as x
     */
    NDArray fakeQuantize(NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis);
}
