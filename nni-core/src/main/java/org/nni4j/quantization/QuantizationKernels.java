package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

/**
 * The tensor operations that fake-quantization is made of, with their gradients.
 *
 * <p>Every result is owned by the manager of the method's first argument; so is every temporary.
 * Two implementations exist: plain NDArray operators (any engine, the reference) and fused libtorch
 * kernels (PyTorch engine).
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
     * Turns ranges into scale and zero point, without gradient and without reading anything back to
     * Java.
     *
     * @param min shape {@code (1)} or {@code (channels)}; widened to contain 0
     * @param max as min
     * @param type the integer type
     * @param scheme affine or symmetric
     * @return scale (float32, at least {@link AffineQuantization#EPSILON}) and zero point (int32),
     *     shaped as min
     */
    NDList parameters(NDArray min, NDArray max, QuantizedType type, QuantizationScheme scheme);

    /**
     * Fake-quantizes: {@code (clamp(round(x / scale) + zeroPoint, qmin, qmax) - zeroPoint) *
     * scale}. The gradient passes where the unclamped integer is within {@code qmin..qmax} and is 0
     * elsewhere.
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

    /**
     * Fake-quantizes without gradient and to the last bit as {@link AffineQuantization} does, in whichever implementation:
     * for evaluation, so that what was trained is what is run.
     *
     * @param x any floating shape
     * @param scale shape {@code (1)} or {@code (channels)}
     * @param zeroPoint as scale
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return as x
     */
    NDArray quantizeDequantize(NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis);

    /**
     * Picks an implementation.
     *
     * @param name {@code "ndarray"}, {@code "fused"}, or {@code "auto"}: fused where the engine allows
     * @param manager of the engine the tensors belong to
     * @return the kernels; safe for use by several threads
     * @throws IllegalArgumentException if the name is unknown, or if the engine has no fused kernels
     */
    static QuantizationKernels create(String name, NDManager manager) {
        switch (name) {
            case "auto":
            case "ndarray":
                return new NdArrayKernels();
            case "fused":
                throw new IllegalArgumentException("engine " + manager.getEngine().getEngineName() + " has no fused kernels");
            default:
                throw new IllegalArgumentException("unknown kernels \"" + name + "\"; expected one of [auto, ndarray, fused]");
        }
    }
}
