package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.OptionalLong;

/**
 * The tensor operations that fake-quantization is made of, with their gradients.
 *
 * <p>Every result is owned by the manager of the method's first argument; temporaries are closed.
 * What is to outlive that manager (a tracked range, say) the caller attaches elsewhere. All methods
 * may be called from several threads.
 *
 * <p>Two implementations exist: plain NDArray operators (any engine, the reference) and fused
 * TorchScript kernels (PyTorch engine). Their values are the same to the last bit, ties included
 * (but the sign of zero), so what is trained is what is run; their gradients are the same but for
 * values within float32 rounding of a bound, and for the order in which gradients of learned
 * parameters are summed. They compute in float32; float16 tensors are converted and back, float64
 * ones too.
 *
 * <p>Scales are at least {@link AffineQuantization#EPSILON}. A range that holds NaN or an infinity
 * gives the scale NaN, and so a result that is NaN throughout: nothing is read back to complain,
 * but it cannot be overlooked. With given parameters infinities saturate, and pass no gradient; NaN
 * stays NaN, and what gradient it passes is not specified. An empty tensor has the range 0..0 and
 * tracks nothing.
 */
public interface QuantizationKernels {

    /**
     * A fake-quantized tensor with what was found out on the way.
     *
     * @param value as the tensor, with its gradient
     * @param min the range's minimum, float32 of shape {@code (1)} or {@code (channels)}
     * @param max the range's maximum, likewise
     * @param scale float32, likewise
     * @param zeroPoint int32, likewise
     */
    record Observed(NDArray value, NDArray min, NDArray max, NDArray scale, NDArray zeroPoint) {}

    /**
     * A range with the parameters that follow from it, kept from one pass to the next.
     *
     * @param min as in {@link Observed}
     * @param max likewise
     * @param scale likewise
     * @param zeroPoint likewise
     */
    record Kept(NDArray min, NDArray max, NDArray scale, NDArray zeroPoint) {}

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
     * @return minimum and maximum, each float32 of shape {@code (1)} or {@code (channels)}
     */
    NDList range(NDArray x, int axis);

    /**
     * Moves a tracked range towards a tensor's: {@code min = decay · min + (1 - decay) · min(x)},
     * and max likewise; without gradient.
     *
     * @param x any floating shape
     * @param min the range so far, shape {@code (1)} or {@code (channels)}; its values are ignored
     *     if decay is 0, as at the first observation
     * @param max as min
     * @param decay the weight of the range so far, from 0 to less than 1
     * @param axis the axis to keep, or {@link QuantizationParameters#PER_TENSOR}
     * @return the new minimum and maximum, as in {@link #range}
     */
    NDList track(NDArray x, NDArray min, NDArray max, double decay, int axis);

    /**
     * Turns ranges into scale and zero point, without gradient and without reading anything back to
     * Java; see {@link AffineQuantization#parametersFor}.
     *
     * @param min shape {@code (1)} or {@code (channels)}; widened to contain 0
     * @param max as min
     * @param type the integer type
     * @param scheme affine or symmetric
     * @return scale (float32, at least {@link AffineQuantization#EPSILON}) and zero point (int32),
     *     shaped as min
     * @throws IllegalArgumentException if the type has a single value
     */
    NDList parameters(NDArray min, NDArray max, QuantizedType type, QuantizationScheme scheme);

    /**
     * Fake-quantizes for training: {@code (clamp(round(x / scale) + zeroPoint, qmin, qmax) -
     * zeroPoint) * scale}. The gradient passes where {@code round(x / scale + zeroPoint)} is within
     * {@code qmin..qmax}, as in NNI, and is 0 elsewhere; scale and zero point get none.
     *
     * @param x any floating shape
     * @param scale shape {@code (1)} or {@code (channels)}
     * @param zeroPoint as scale, each within {@code qmin..qmax}
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return as x
     */
    NDArray fakeQuantize(NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis);

    /**
     * Fake-quantizes for evaluation: the values of {@link #fakeQuantize}, without gradient and so
     * without keeping x.
     *
     * @param x any floating shape
     * @param scale shape {@code (1)} or {@code (channels)}
     * @param zeroPoint as scale
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return as x
     */
    NDArray quantizeDequantize(
            NDArray x, NDArray scale, NDArray zeroPoint, int qmin, int qmax, int axis);

    /**
     * Fake-quantizes a tensor by its own range, as weights are: {@link #range}, {@link #parameters}
     * and {@link #fakeQuantize} in one. The gradient passes everywhere: nothing lies outside its
     * own range.
     *
     * @param x any floating shape
     * @param type the integer type
     * @param scheme affine or symmetric
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return the value with the range and the parameters it was quantized by
     */
    Observed observe(NDArray x, QuantizedType type, QuantizationScheme scheme, int axis);

    /**
     * Fake-quantizes a tensor by its own range, for those who need the value only.
     *
     * @param x any floating shape
     * @param type the integer type
     * @param scheme affine or symmetric
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return the value of {@link #observe(NDArray, QuantizedType, QuantizationScheme, int)}
     */
    default NDArray quantizeByOwnRange(
            NDArray x, QuantizedType type, QuantizationScheme scheme, int axis) {
        return observe(x, type, scheme, axis).value();
    }

    /**
     * Fake-quantizes a tensor by a tracked range that includes it, as inputs and outputs are:
     * {@link #track}, {@link #parameters} and {@link #fakeQuantize} in one.
     *
     * @param x any floating shape
     * @param min the range so far, shape {@code (1)} or {@code (channels)}; its values are ignored
     *     if decay is 0, as at the first observation
     * @param max as min
     * @param decay the weight of the range so far, from 0 to less than 1
     * @param type the integer type
     * @param scheme affine or symmetric
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return the value with the new range and the parameters it was quantized by
     */
    Observed observe(
            NDArray x,
            NDArray min,
            NDArray max,
            double decay,
            QuantizedType type,
            QuantizationScheme scheme,
            int axis);

    /**
     * Fake-quantizes a tensor by a tracked range that includes it, and writes the new range and
     * parameters over those that are kept: {@link #observe(NDArray, NDArray, NDArray, double,
     * QuantizedType, QuantizationScheme, int)} without arrays that only carry them over.
     *
     * @param x any floating shape
     * @param kept the range so far, changed in place; backward does not need it
     * @param decay the weight of the range so far, from 0 to less than 1
     * @param type the integer type
     * @param scheme affine or symmetric
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @return the value, with its gradient
     */
    default NDArray observe(
            NDArray x,
            Kept kept,
            double decay,
            QuantizedType type,
            QuantizationScheme scheme,
            int axis) {
        Observed seen = observe(x, kept.min(), kept.max(), decay, type, scheme, axis);
        seen.min().copyTo(kept.min());
        seen.max().copyTo(kept.max());
        seen.scale().copyTo(kept.scale());
        seen.zeroPoint().copyTo(kept.zeroPoint());
        return seen.value();
    }

    /**
     * Fake-quantizes with a learned step size: {@code v̂ = round(clamp(v / s, qmin, qmax)) · s}.
     *
     * <p>Esser et al., "Learned Step Size Quantization", ICLR 2020, eq. 1-3, <a
     * href="https://arxiv.org/abs/1902.08153">arXiv:1902.08153</a>. The gradient of v passes where
     * {@code v / s} is within {@code qmin..qmax}; that of s sums {@code round(v / s) - v / s} there
     * and qmin or qmax outside. At the bounds themselves, where the paper has the outside's
     * gradients, the inside's are taken. A step size below {@link AffineQuantization#EPSILON}
     * counts as that, and keeps its gradient.
     *
     * @param x any floating shape
     * @param stepSize shape {@code (1)} or {@code (channels)}, positive
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @param gradientScale multiplies the gradient of the step size; the paper's is {@code 1 /
     *     sqrt(n · qmax)}
     * @return as x
     */
    NDArray learnedStep(
            NDArray x, NDArray stepSize, int qmin, int qmax, int axis, double gradientScale);

    /**
     * Fake-quantizes with a learned step size and a learned zero point: {@code v̂ = (clamp(round(v
     * / s) + z̄, qmin, qmax) - z̄) · s} with {@code z̄ = clamp(round(z), qmin, qmax)}.
     *
     * <p>After Bhalgat et al., "LSQ+: Improving low-bit quantization through learnable offsets and
     * better initialization", CVPR 2020 Workshops, eq. 3-7, <a
     * href="https://arxiv.org/abs/2004.09576">arXiv:2004.09576</a>, whose offset is {@code β = -z ·
     * s}. Unlike there, it is rounded to whole steps, as an integer runtime demands; the gradient
     * of z is {@code -s} outside {@code qmin..qmax} and 0 inside, not scaled.
     *
     * @param x any floating shape
     * @param stepSize shape {@code (1)} or {@code (channels)}, positive
     * @param zeroPoint as stepSize, float32
     * @param qmin the smallest integer
     * @param qmax the largest integer
     * @param axis the channel axis, or {@link QuantizationParameters#PER_TENSOR}
     * @param gradientScale multiplies the gradient of the step size
     * @return as x
     */
    NDArray learnedStepAndOffset(
            NDArray x,
            NDArray stepSize,
            NDArray zeroPoint,
            int qmin,
            int qmax,
            int axis,
            double gradientScale);

    /**
     * Binarizes: -1 below zero, 1 elsewhere.
     *
     * <p>Courbariaux et al., "Binarized Neural Networks", 2016, eq. 1 and 4, <a
     * href="https://arxiv.org/abs/1602.02830">arXiv:1602.02830</a>.
     *
     * @param x any floating shape
     * @param saturating true for hard tanh's gradient: none where {@code |x| > 1}; false if it
     *     passes everywhere
     * @return as x
     */
    NDArray binarize(NDArray x, boolean saturating);

    /**
     * Quantizes weights to {@code [-1, 1]} after tanh: {@code 2 · round(k · v) / k - 1} with {@code
     * v = tanh(w) / (2 · max|tanh(w)|) + 1/2} and {@code k = 2^bits - 1}.
     *
     * <p>Zhou et al., "DoReFa-Net", 2016, eq. 9, <a
     * href="https://arxiv.org/abs/1606.06160">arXiv:1606.06160</a>. As in the authors' code, the
     * gradient goes through the maximum too. One bit gives ±1; the paper's {@code sign(w) · E|w|}
     * (eq. 7) is {@link #scaledSign}.
     *
     * @param w any floating shape
     * @param bits 1..16
     * @param differentiated true for the paper's gradient, that of the formula without rounding;
     *     false if it passes through the whole formula unchanged
     * @return as w
     */
    NDArray tanhQuantize(NDArray w, int bits, boolean differentiated);

    /**
     * Binarizes weights to their mean magnitude: {@code sign(w) · E|w|} with {@code sign(0) = 1};
     * the gradient passes unchanged.
     *
     * <p>Zhou et al., "DoReFa-Net", 2016, eq. 7 and 8; Rastegari et al., "XNOR-Net", 2016, without
     * the channels.
     *
     * @param w any floating shape
     * @return as w
     */
    NDArray scaledSign(NDArray w);

    /**
     * Quantizes activations clipped to {@code [0, 1]}: {@code round(k · clip(x, 0, 1)) / k} with
     * {@code k = 2^bits - 1}; the gradient passes from 0 to 1, both included.
     *
     * <p>Zhou et al., "DoReFa-Net", 2016, eq. 5, 6 and 11.
     *
     * @param x any floating shape
     * @param bits 1..16
     * @return as x
     */
    NDArray unitQuantize(NDArray x, int bits);

    /**
     * Quantizes activations clipped to a learned level: {@code round(clip(x, 0, α) / s) · s} with
     * {@code s = α / (2^bits - 1)}.
     *
     * <p>Choi et al., "PACT: Parameterized Clipping Activation for Quantized Neural Networks",
     * 2018, eq. 1-3, <a href="https://arxiv.org/abs/1805.06085">arXiv:1805.06085</a>. The gradient
     * of x passes where {@code 0 < x < α}, that of α sums where {@code x >= α}.
     *
     * @param x any floating shape
     * @param level α, shape {@code (1)}; below {@link AffineQuantization#EPSILON} it counts as that
     * @param bits 1..16
     * @return as x
     */
    NDArray clippedQuantize(NDArray x, NDArray level, int bits);

    /**
     * Counts the changes in place that arrays have seen, by whomever.
     *
     * @param arrays some
     * @return a number that grows with each change of any of them; empty if the engine does not
     *     count
     */
    default OptionalLong changes(List<NDArray> arrays) {
        return OptionalLong.empty();
    }

    /**
     * Tells whether backward would reach an array, as a parameter or through its graph.
     *
     * @param array one whose {@link #changes} are counted
     * @return false if not, or if the engine does not tell
     */
    default boolean isDifferentiated(NDArray array) {
        return false;
    }

    /**
     * Picks an implementation.
     *
     * @param name {@code "ndarray"}, {@code "fused"}, or {@code "auto"}: fused where the engine has
     *     it
     * @param manager of the engine the tensors belong to
     * @return the kernels; safe for use by several threads
     * @throws IllegalArgumentException if the name is unknown, or if fused kernels are asked of an
     *     engine that has none
     */
    static QuantizationKernels create(String name, NDManager manager) {
        String engine = manager.getEngine().getEngineName();
        boolean fusible = engine.equals("PyTorch");
        return switch (name) {
            case "auto" -> fusible ? new FusedKernels() : new NdArrayKernels();
            case "ndarray" -> new NdArrayKernels();
            case "fused" -> {
                if (!fusible) {
                    throw new IllegalArgumentException(
                            "engine " + engine + " has no fused kernels; expected PyTorch");
                }
                yield new FusedKernels();
            }
            default ->
                    throw new IllegalArgumentException(
                            "unknown kernels \"" + name + "\"; available: [auto, ndarray, fused]");
        };
    }
}
