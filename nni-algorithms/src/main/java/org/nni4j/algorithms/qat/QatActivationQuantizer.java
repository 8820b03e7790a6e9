package org.nni4j.algorithms.qat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationKernels;

/**
 * Fake-quantizes an input or output by a range that follows the data: {@code tracked = 0.99 ·
 * tracked + 0.01 · current}, starting with the first batch. Only training forwards move it; they do
 * so before the start step too.
 */
final class QatActivationQuantizer implements TensorQuantizer {

    /** NNI's decay. Near 1, as Jacob et al. section 3.1 ask for ranges smoothed over many steps. */
    private static final double DECAY = 0.99;

    private final QuantizationPoint point;
    private final QuantizationKernels kernels;
    private final ObservingSteps observing;
    private final TrackedRange tracked;

    QatActivationQuantizer(
            QuantizationPoint point, AlgorithmContext context, ObservingSteps observing) {
        this.point = point;
        this.kernels = context.kernels();
        this.observing = observing;
        this.tracked = new TrackedRange(point, context.manager());
    }

    @Override
    public synchronized NDArray quantize(NDArray tensor, ForwardContext context) {
        if (tensor.size() == 0) {
            return tensor;
        }
        int axis = point.axis(tensor.getShape());
        TrackedRange.Values known = tracked.values();
        boolean observed =
                context.training() && (known == null || observing.include(context.step()));
        if (observed) {
            return context.quantizing()
                    ? observeAndQuantize(tensor, known, axis)
                    : observe(tensor, known, axis);
        }
        if (!context.quantizing() || known == null) {
            return tensor;
        }
        return known.fakeQuantize(kernels, tensor, point.type(), axis, context.training());
    }

    private NDArray observeAndQuantize(
            NDArray tensor, TrackedRange.@Nullable Values known, int axis) {
        if (known != null) {
            return kernels.observe(tensor, known.kept(), DECAY, point.type(), point.scheme(), axis);
        }
        QuantizationKernels.Observed seen =
                kernels.observe(tensor, tensor, tensor, 0, point.type(), point.scheme(), axis);
        tracked.keep(
                new TrackedRange.Values(seen.min(), seen.max(), seen.scale(), seen.zeroPoint()),
                axis);
        return seen.value();
    }

    private NDArray observe(NDArray tensor, TrackedRange.@Nullable Values known, int axis) {
        NDList range =
                known == null
                        ? kernels.range(tensor, axis)
                        : kernels.track(tensor, known.min(), known.max(), DECAY, axis);
        NDArray min = range.get(0);
        NDArray max = range.get(1);
        NDList parameters = kernels.parameters(min, max, point.type(), point.scheme());
        tracked.keep(new TrackedRange.Values(min, max, parameters.get(0), parameters.get(1)), axis);
        return tensor;
    }

    @Override
    public synchronized Optional<TensorCalibration> calibration() {
        return tracked.calibration();
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        tracked.restore(calibration);
    }

    @Override
    public synchronized QuantizerState state() {
        return tracked.state(Map.of());
    }

    @Override
    public synchronized void load(QuantizerState state) {
        tracked.load(state);
    }

    @Override
    public synchronized void close() {
        tracked.close();
    }
}
