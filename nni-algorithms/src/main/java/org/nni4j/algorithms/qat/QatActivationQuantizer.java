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
    private static final float DECAY = 0.99f;

    private static final float GAIN = 0.01f;

    private final QuantizationPoint point;
    private final QuantizationKernels kernels;
    private final TrackedRange tracked;

    QatActivationQuantizer(QuantizationPoint point, AlgorithmContext context) {
        this.point = point;
        this.kernels = context.kernels();
        this.tracked = new TrackedRange(point, context.manager());
    }

    @Override
    public NDArray quantize(NDArray tensor, ForwardContext context) {
        if (tensor.size() == 0) {
            return tensor;
        }
        int axis = point.axis(tensor.getShape());
        TrackedRange.Values values = context.training() ? track(tensor, axis) : known();
        if (!context.quantizing() || values == null) {
            return tensor;
        }
        return values.fakeQuantize(kernels, tensor, point.type(), axis, context.training());
    }

    private synchronized TrackedRange.@Nullable Values known() {
        return tracked.values();
    }

    private synchronized TrackedRange.Values track(NDArray tensor, int axis) {
        NDList current = kernels.range(tensor, axis);
        TrackedRange.Values before = tracked.values();
        NDArray min = current.get(0);
        NDArray max = current.get(1);
        if (before != null) {
            min = average(before.min(), min);
            max = average(before.max(), max);
        }
        NDList parameters = kernels.parameters(min, max, point.type(), point.scheme());
        // The pass computes with its own arrays: those that are kept change in place when the layer
        // runs
        // again, and backward would find them changed.
        TrackedRange.Values now =
                new TrackedRange.Values(min, max, parameters.get(0), parameters.get(1));
        tracked.keep(now, axis);
        return now;
    }

    /**
     * The current value comes first in each product and sum, so that the result belongs to the
     * pass.
     */
    private static NDArray average(NDArray before, NDArray current) {
        try (NDArray kept = before.mul(DECAY)) {
            return current.mul(GAIN).addi(kept);
        }
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
