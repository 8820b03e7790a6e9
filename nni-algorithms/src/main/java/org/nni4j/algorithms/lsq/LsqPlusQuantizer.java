package org.nni4j.algorithms.lsq;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
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
import org.nni4j.fakequant.LearnedValue;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.observer.ObservedRange;
import org.nni4j.observer.Observer;
import org.nni4j.observer.ObserverKind;
import org.nni4j.observer.ObserverOptions;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizedType;

/**
 * LSQ+: as LSQ, with a learned zero point.
 *
 * <p>Step size and zero point begin where the squared error of the first tensor is least. The zero
 * point counts as rounded and brought into {@code 0..2^b-1}, so that 0 stays 0 and an integer
 * runtime can execute it.
 */
final class LsqPlusQuantizer implements TensorQuantizer {

    private static final String ZERO_POINT = "zero_point";

    private final QuantizationPoint point;
    private final QuantizationKernels kernels;
    private final QuantizedType type;
    private final StepLearning learning;
    private final StepSizes sizes;
    private final LearnedValue zeroPoint;
    private volatile int axis = QuantizationParameters.PER_TENSOR;
    private @Nullable QuantizationParameters described;
    private long revision;

    LsqPlusQuantizer(QuantizationPoint point, AlgorithmContext context, StepLearning learning) {
        this.point = point;
        this.kernels = context.kernels();
        this.type = new QuantizedType(point.type().bits(), QuantizationDtype.UINT);
        this.learning = learning;
        this.sizes = new StepSizes(point, context.manager(), learning.countsBatch());
        this.zeroPoint = new LearnedValue(point + ": zero point", context.manager());
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
        NDArray zero = zeroPoint.on(tensor, context);
        if (context.training()) {
            double gradientScale = sizes.gradientScale(tensor, axis, type.qmax());
            return kernels.learnedStepAndOffset(
                    tensor, size, zero, type.qmin(), type.qmax(), axis, gradientScale);
        }
        return kernels.quantizeDequantize(
                tensor,
                size.stopGradient(),
                zero.stopGradient().round().clip(type.qmin(), type.qmax()),
                type.qmin(),
                type.qmax(),
                axis);
    }

    private synchronized boolean isReady(NDArray tensor, boolean training) {
        axis = point.axis(tensor.getShape());
        if (training && !sizes.value().isInitialized()) {
            first(tensor).ifPresent(this::set);
        }
        return sizes.value().isInitialized();
    }

    /** What a tensor's step sizes and zero points begin with; empty if it says nothing. */
    private Optional<QuantizationParameters> first(NDArray tensor) {
        int along = point.axis(tensor.getShape());
        if (StepSizes.first(StepSizes.meanMagnitudes(tensor, along), type.qmax()) == null) {
            return Optional.empty();
        }
        Observer observer = ObserverKind.MSE.create(ObserverOptions.DEFAULT);
        observer.observe(tensor, along);
        ObservedRange range = withoutZeros(observer.range(type, point.scheme()));
        float[] min = range.min();
        float[] max = range.max();
        return Optional.of(
                along == QuantizationParameters.PER_TENSOR
                        ? AffineQuantization.parametersFor(min[0], max[0], type, point.scheme())
                        : AffineQuantization.parametersFor(min, max, type, point.scheme(), along));
    }

    /**
     * A channel of zeros says nothing of what is to come: it begins with the others' mean range. A
     * step size for zeros would saturate everything, and pass no gradient.
     */
    private static ObservedRange withoutZeros(ObservedRange range) {
        float[] min = range.min();
        float[] max = range.max();
        double low = 0;
        double high = 0;
        int others = 0;
        for (int i = 0; i < min.length; i++) {
            if (min[i] != 0 || max[i] != 0) {
                // as parameters are made of it: with 0 in it
                low += Math.min(min[i], 0);
                high += Math.max(max[i], 0);
                others++;
            }
        }
        for (int i = 0; i < min.length && others > 0; i++) {
            if (min[i] == 0 && max[i] == 0) {
                min[i] = (float) (low / others);
                max[i] = (float) (high / others);
            }
        }
        return new ObservedRange(min, max);
    }

    /** See {@link LsqTensorQuantizer}: a weight is evaluated as its calibration describes it. */
    private NDArray untrained(NDArray tensor) {
        return point.quantType() == QuantType.WEIGHT
                ? first(tensor).map(parameters -> evaluated(tensor, parameters)).orElse(tensor)
                : tensor;
    }

    private NDArray evaluated(NDArray weight, QuantizationParameters parameters) {
        NDManager scope = weight.getManager();
        return kernels.quantizeDequantize(
                weight,
                scope.create(parameters.scale()),
                scope.create(floats(parameters.zeroPoint())),
                type.qmin(),
                type.qmax(),
                parameters.axis());
    }

    private void set(QuantizationParameters parameters) {
        zeroPoint.set(floats(parameters.zeroPoint()));
        sizes.value().set(parameters.scale());
    }

    private static float[] floats(int[] integers) {
        float[] floats = new float[integers.length];
        for (int i = 0; i < integers.length; i++) {
            floats[i] = integers[i];
        }
        return floats;
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
        return Optional.ofNullable(sizes.value().isInitialized() ? learned() : described)
                .map(this::calibration);
    }

    private QuantizationParameters learned() {
        float[] values = zeroPoint.values();
        int[] zero = new int[values.length];
        for (int i = 0; i < zero.length; i++) {
            int rounded = (int) Math.rint(values[i]);
            zero[i] = Math.max(type.qmin(), Math.min(type.qmax(), rounded));
        }
        return new QuantizationParameters(sizes.value().values(), zero, axis);
    }

    private TensorCalibration calibration(QuantizationParameters parameters) {
        float[] scale = parameters.scale();
        int[] zero = parameters.zeroPoint();
        float[] min = new float[scale.length];
        float[] max = new float[scale.length];
        for (int i = 0; i < zero.length; i++) {
            min[i] = AffineQuantization.dequantize(type.qmin(), scale[i], zero[i]);
            max[i] = AffineQuantization.dequantize(type.qmax(), scale[i], zero[i]);
        }
        return new TensorCalibration(type, point.scheme(), parameters, min, max);
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        axis = calibration.parameters().axis();
        set(calibration.parameters());
        revision++;
    }

    @Override
    public synchronized QuantizerState state() {
        return sizes.value().isInitialized()
                ? new QuantizerState(
                        Map.of(
                                StepSizes.STEP_SIZE,
                                sizes.value().values(),
                                ZERO_POINT,
                                zeroPoint.values()),
                        sizes.counters(axis))
                : new QuantizerState(Map.of(), Map.of());
    }

    @Override
    public synchronized void load(QuantizerState state) {
        boolean hasSizes = state.arrays().containsKey(StepSizes.STEP_SIZE);
        float @Nullable [] savedZero = state.arrays().get(ZERO_POINT);
        if (!hasSizes && savedZero == null) {
            described = null;
            revision++;
            sizes.value().clear();
            zeroPoint.clear();
            return;
        }
        if (!hasSizes || savedZero == null) {
            throw new IllegalArgumentException(
                    point
                            + ": quantizer state lacks \""
                            + StepSizes.STEP_SIZE
                            + "\" or \""
                            + ZERO_POINT
                            + "\"");
        }
        float[] savedSize = sizes.saved(state);
        sizes.checkLength(ZERO_POINT, savedZero, savedSize.length);
        axis = StepSizes.axis(state, point);
        revision++;
        zeroPoint.set(savedZero);
        sizes.value().set(savedSize);
    }

    /** Evaluation depends on what is learned too; changes of that are noticed. */
    @Override
    public synchronized OptionalLong revision() {
        return OptionalLong.of(revision);
    }

    @Override
    public List<Parameter> learnedParameters() {
        return List.of(sizes.value().parameter(), zeroPoint.parameter());
    }

    @Override
    public float learningRateMultiple() {
        return learning.rateMultiple();
    }

    @Override
    public void beforeUpdate(Parameter learned, NDArray value, NDArray gradient) {
        if (learned == sizes.value().parameter()) {
            sizes.beforeUpdate(value);
        }
    }

    @Override
    public void afterUpdate(Parameter learned, NDArray value) {
        if (learned == sizes.value().parameter()) {
            sizes.afterUpdate(value);
        }
    }

    @Override
    public void close() {
        sizes.value().close();
        zeroPoint.close();
    }
}
