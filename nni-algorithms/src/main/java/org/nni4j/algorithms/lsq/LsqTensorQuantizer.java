package org.nni4j.algorithms.lsq;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.QuantType;
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
    private @Nullable QuantizationParameters described;

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

    private int qmax(boolean negative) {
        int bits = point.type().bits();
        return negative ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    }

    private int qmin(boolean negative) {
        return negative ? (isNarrow() ? -qmax(true) : -qmax(true) - 1) : 0;
    }

    private boolean isNarrow() {
        return stored.dtype() == QuantizationDtype.INT;
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (tensor.isEmpty() || !context.quantizing()) {
            return tensor;
        }
        if (!isReady(tensor, context.training())) {
            return context.training() ? tensor : untrained(tensor);
        }
        NDArray size = sizes.value().on(tensor, context);
        int qmin = qmin(signed);
        int qmax = qmax(signed);
        if (context.training()) {
            double gradientScale = sizes.gradientScale(tensor, axis, qmax);
            return kernels.learnedStep(tensor, size, qmin, qmax, axis, gradientScale);
        }
        NDArray zero = size.stopGradient().zerosLike();
        return kernels.quantizeDequantize(tensor, size.stopGradient(), zero, qmin, qmax, axis);
    }

    /** The first training tensor that is not all zeros gives the step sizes. */
    private synchronized boolean isReady(NDArray tensor, boolean training) {
        axis = point.axis(tensor.getShape());
        if (training && !sizes.value().isInitialized()) {
            first(tensor).ifPresent(this::begin);
        }
        return sizes.value().isInitialized();
    }

    /** What a tensor's step sizes begin with; empty if it says nothing. */
    private Optional<QuantizationParameters> first(NDArray tensor) {
        int along = point.axis(tensor.getShape());
        boolean negative = sign.isSigned(tensor);
        return Optional.ofNullable(
                        StepSizes.first(StepSizes.meanMagnitudes(tensor, along), qmax(negative)))
                .map(scale -> parameters(scale, negative, along));
    }

    private void begin(QuantizationParameters parameters) {
        signed = isSigned(parameters);
        axis = parameters.axis();
        sizes.value().set(parameters.scale());
    }

    /**
     * A weight says itself what its step sizes begin with, and is evaluated so before any training:
     * as its calibration describes it.
     */
    private NDArray untrained(NDArray tensor) {
        return point.quantType() == QuantType.WEIGHT
                ? first(tensor).map(parameters -> evaluated(tensor, parameters)).orElse(tensor)
                : tensor;
    }

    private NDArray evaluated(NDArray weight, QuantizationParameters parameters) {
        NDArray size = weight.getManager().create(parameters.scale());
        boolean negative = isSigned(parameters);
        return kernels.quantizeDequantize(
                weight, size, size.zerosLike(), qmin(negative), qmax(negative), parameters.axis());
    }

    /** The signed range -2^(b-1).. about 0 is the unsigned range 0.. about its middle. */
    private QuantizationParameters parameters(float[] scale, boolean negative, int along) {
        int[] zeroPoint = new int[scale.length];
        Arrays.fill(zeroPoint, negative && !isNarrow() ? 1 << (point.type().bits() - 1) : 0);
        return new QuantizationParameters(scale, zeroPoint, along);
    }

    private boolean isSigned(QuantizationParameters parameters) {
        return isNarrow() || parameters.zeroPoint()[0] != 0;
    }

    /**
     * A network that is exported before it was trained has step sizes too. They are not those that
     * training begins with, which come from the weight of that step.
     */
    @Override
    public synchronized void describe(NDArray weight) {
        described = weight.isEmpty() ? null : first(weight).orElse(null);
    }

    @Override
    public synchronized Optional<TensorCalibration> calibration() {
        return Optional.ofNullable(
                        sizes.value().isInitialized()
                                ? parameters(sizes.value().values(), signed, axis)
                                : described)
                .map(this::calibration);
    }

    private TensorCalibration calibration(QuantizationParameters parameters) {
        boolean negative = isSigned(parameters);
        float[] scale = parameters.scale();
        float[] min = new float[scale.length];
        float[] max = new float[scale.length];
        for (int i = 0; i < scale.length; i++) {
            min[i] = scale[i] * qmin(negative);
            max[i] = scale[i] * qmax(negative);
        }
        return new TensorCalibration(stored, point.scheme(), parameters, min, max);
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        begin(calibration.parameters());
        revision++;
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
            described = null;
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
