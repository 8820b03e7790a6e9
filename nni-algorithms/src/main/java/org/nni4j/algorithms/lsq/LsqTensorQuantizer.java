package org.nni4j.algorithms.lsq;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizedType;

/**
 * LSQ: {@code v̂ = round(clip(v / s, -Qn, Qp)) · s} with a learned s (eq. 1-3).
 *
 * <p>{@code int} means the paper's signed range {@code -2^(b-1)..2^(b-1)-1}. {@code uint} means its
 * unsigned one, {@code 0..2^b-1}, if the first tensor holds nothing negative; otherwise that tensor
 * would lose its negative half, and gets the signed range as well.
 */
final class LsqTensorQuantizer implements TensorQuantizer {

    private static final String SIGNED = "signed";

    private final QuantizationPoint point;
    private final QuantizationKernels kernels;
    private final StepLearning learning;
    private final QuantizedType stored;
    private final LsqSign sign;
    private final StepSizes sizes;
    private volatile boolean signed = true;
    private long revision;
    private volatile int axis = QuantizationParameters.PER_TENSOR;

    LsqTensorQuantizer(
            QuantizationPoint point,
            AlgorithmContext context,
            StepLearning learning,
            QuantizedType stored,
            LsqSign sign) {
        this.point = point;
        this.kernels = context.kernels();
        this.learning = learning;
        this.stored = stored;
        this.sign = sign;
        this.sizes = new StepSizes(point, context.manager(), learning.countsBatch());
    }

    private int qmax() {
        int bits = point.type().bits();
        return signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    }

    private int qmin() {
        return signed ? (isNarrow() ? -qmax() : -qmax() - 1) : 0;
    }

    private boolean isNarrow() {
        return stored.dtype() == QuantizationDtype.INT;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (tensor.isEmpty() || !context.quantizing() || !isReady(tensor, context.training())) {
            return tensor;
        }
        NDArray size = sizes.value().on(tensor, context);
        if (context.training()) {
            double gradientScale = sizes.gradientScale(tensor, axis, qmax());
            return kernels.learnedStep(tensor, size, qmin(), qmax(), axis, gradientScale);
        }
        NDArray zero = size.stopGradient().zerosLike();
        return kernels.quantizeDequantize(tensor, size.stopGradient(), zero, qmin(), qmax(), axis);
    }

    /** The first training tensor that is not all zeros gives the step sizes. */
    private synchronized boolean isReady(NDArray tensor, boolean training) {
        axis = point.axis(tensor.getShape());
        if (sizes.value().isInitialized() || !training) {
            return sizes.value().isInitialized();
        }
        signed = sign.isSigned(tensor);
        float[] first = StepSizes.first(StepSizes.meanMagnitudes(tensor, axis), qmax());
        if (first != null) {
            sizes.value().set(first);
        }
        return first != null;
    }

    /** A network that is exported before it was trained has step sizes too. */
    @Override
    public void describe(NDArray weight) {
        if (!weight.isEmpty()) {
            isReady(weight, true);
        }
    }

    @Override
    public Optional<TensorCalibration> calibration() {
        if (!sizes.value().isInitialized()) {
            return Optional.empty();
        }
        float[] scale = sizes.value().values();
        int[] zeroPoint = new int[scale.length];
        // The signed range -2^(b-1).. about 0 is the unsigned range 0.. about its middle.
        Arrays.fill(zeroPoint, signed && !isNarrow() ? 1 << (point.type().bits() - 1) : 0);
        float[] min = new float[scale.length];
        float[] max = new float[scale.length];
        for (int i = 0; i < scale.length; i++) {
            min[i] = scale[i] * qmin();
            max[i] = scale[i] * qmax();
        }
        return Optional.of(
                new TensorCalibration(
                        stored,
                        point.scheme(),
                        new QuantizationParameters(scale, zeroPoint, axis),
                        min,
                        max));
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        QuantizationParameters parameters = calibration.parameters();
        signed = isNarrow() || parameters.zeroPoint()[0] != 0;
        revision++;
        axis = parameters.axis();
        sizes.value().set(parameters.scale());
    }

    @Override
    public synchronized QuantizerState state() {
        if (!sizes.value().isInitialized()) {
            return new QuantizerState(Map.of(), Map.of());
        }
        Map<String, Long> counters = sizes.counters(axis);
        counters.put(SIGNED, signed ? 1L : 0L);
        return new QuantizerState(Map.of(StepSizes.STEP_SIZE, sizes.value().values()), counters);
    }

    @Override
    public synchronized void load(QuantizerState state) {
        boolean hasSizes = state.arrays().containsKey(StepSizes.STEP_SIZE);
        Long savedSign = state.counters().get(SIGNED);
        if (!hasSizes && savedSign == null) {
            signed = true;
            revision++;
            sizes.value().clear();
            return;
        }
        if (!hasSizes || savedSign == null) {
            throw new IllegalArgumentException(
                    point
                            + ": quantizer state lacks \""
                            + StepSizes.STEP_SIZE
                            + "\" or \""
                            + SIGNED
                            + "\"");
        }
        float[] saved = sizes.saved(state);
        axis = StepSizes.axis(state, point);
        signed = savedSign != 0;
        revision++;
        sizes.value().set(saved);
    }

    /** Evaluation depends on the step sizes too; changes of learned parameters are noticed. */
    @Override
    public synchronized OptionalLong revision() {
        return OptionalLong.of(revision);
    }

    @Override
    public List<Parameter> learnedParameters() {
        return List.of(sizes.value().parameter());
    }

    @Override
    public float learningRateMultiple() {
        return learning.rateMultiple();
    }

    @Override
    public void beforeUpdate(Parameter learned, NDArray value, NDArray gradient) {
        sizes.beforeUpdate(value);
    }

    @Override
    public void afterUpdate(Parameter learned, NDArray value) {
        sizes.afterUpdate(value);
    }

    @Override
    public void close() {
        sizes.value().close();
    }
}
