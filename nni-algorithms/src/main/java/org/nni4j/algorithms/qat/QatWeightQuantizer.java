package org.nni4j.algorithms.qat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationKernels;

/**
 * Fake-quantizes a weight by its own minimum and maximum, as they are at each forward. So there is
 * no state to lose: the parameters follow from the weight. Only a restored calibration is kept,
 * until the weight is next trained.
 */
final class QatWeightQuantizer implements TensorQuantizer {

    private final QuantizationPoint point;
    private final QuantizationKernels kernels;
    private final TrackedRange restored;
    private @Nullable TensorCalibration described;
    private long revision;

    QatWeightQuantizer(QuantizationPoint point, AlgorithmContext context) {
        this.point = point;
        this.kernels = context.kernels();
        this.restored = new TrackedRange(point, context.manager());
    }

    @Override
    public NDArray quantize(NDArray weight, ForwardContext context) {
        if (context.training()) {
            forget();
        }
        if (!context.quantizing() || weight.size() == 0) {
            return weight;
        }
        int axis = point.axis(weight.getShape());
        TrackedRange.Values kept = kept();
        if (kept != null) {
            return kept.fakeQuantize(kernels, weight, point.type(), axis, context.training());
        }
        NDArray seen = context.training() ? weight : weight.stopGradient();
        return kernels.quantizeByOwnRange(seen, point.type(), point.scheme(), axis);
    }

    private synchronized TrackedRange.@Nullable Values kept() {
        return restored.values();
    }

    /**
     * What was restored describes the weight as it was; training moves it, before the start step
     * too.
     */
    private synchronized void forget() {
        if (restored.values() != null) {
            restored.close();
            revision++;
        }
    }

    @Override
    public synchronized OptionalLong revision() {
        return OptionalLong.of(revision);
    }

    /** A weight is quantized by its own range, so that nothing of it saturates. */
    @Override
    public boolean passesGradient() {
        return true;
    }

    private synchronized TrackedRange.Values values(NDArray weight, int axis) {
        TrackedRange.Values kept = restored.values();
        return kept == null ? fresh(weight, axis) : kept;
    }

    private TrackedRange.Values fresh(NDArray weight, int axis) {
        NDList range = kernels.range(weight, axis);
        NDList parameters =
                kernels.parameters(range.get(0), range.get(1), point.type(), point.scheme());
        return new TrackedRange.Values(
                range.get(0), range.get(1), parameters.get(0), parameters.get(1));
    }

    @Override
    public synchronized void describe(NDArray weight) {
        if (weight.size() > 0) {
            int axis = point.axis(weight.getShape());
            described = TrackedRange.calibration(point, values(weight, axis), axis);
        }
    }

    @Override
    public synchronized Optional<TensorCalibration> calibration() {
        return Optional.ofNullable(described);
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        restored.restore(calibration);
        revision++;
    }

    @Override
    public synchronized QuantizerState state() {
        return restored.state(Map.of());
    }

    @Override
    public synchronized void load(QuantizerState saved) {
        restored.load(saved);
        revision++;
    }

    @Override
    public synchronized void close() {
        restored.close();
    }
}
