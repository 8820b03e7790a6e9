package org.nni4j.algorithms.qat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizedType;

/**
 * A range with the scale and zero point that follow from it, kept from one forward to the next. The
 * arrays live as long as the quantizer and are written in place.
 */
final class TrackedRange implements AutoCloseable {

    /**
     * One consistent set, each of shape {@code (1)} or {@code (channels)}.
     *
     * @param min the smallest value
     * @param max the largest value
     * @param scale float32
     * @param zeroPoint int32
     */
    record Values(NDArray min, NDArray max, NDArray scale, NDArray zeroPoint) {

        /** Evaluation computes to the last bit what an integer runtime does. */
        NDArray fakeQuantize(
                QuantizationKernels kernels,
                NDArray x,
                QuantizedType type,
                int axis,
                boolean training) {
            return training
                    ? kernels.fakeQuantize(x, scale, zeroPoint, type.qmin(), type.qmax(), axis)
                    : kernels.quantizeDequantize(
                            x, scale, zeroPoint, type.qmin(), type.qmax(), axis);
        }

        QuantizationKernels.Kept kept() {
            return new QuantizationKernels.Kept(min, max, scale, zeroPoint);
        }
    }

    private final QuantizationPoint point;
    private final NDManager manager;
    private int axis = QuantizationParameters.PER_TENSOR;
    private @Nullable Values kept;

    TrackedRange(QuantizationPoint point, NDManager manager) {
        this.point = point;
        this.manager = manager;
    }

    @Nullable Values values() {
        return kept;
    }

    /** Copies values over from a forward pass. */
    void keep(Values fresh, int channelAxis) {
        Values old = kept;
        if (old == null) {
            kept =
                    new Values(
                            own(fresh.min()),
                            own(fresh.max()),
                            own(fresh.scale()),
                            own(fresh.zeroPoint()));
            axis = channelAxis;
            return;
        }
        fresh.min().copyTo(old.min());
        fresh.max().copyTo(old.max());
        fresh.scale().copyTo(old.scale());
        fresh.zeroPoint().copyTo(old.zeroPoint());
    }

    private NDArray own(NDArray array) {
        NDArray copy = array.duplicate();
        copy.attach(manager);
        return copy;
    }

    /** Reads a set of values into a calibration. */
    static TensorCalibration calibration(QuantizationPoint point, Values values, int axis) {
        return new TensorCalibration(
                point.type(),
                point.scheme(),
                new QuantizationParameters(
                        values.scale().toFloatArray(), values.zeroPoint().toIntArray(), axis),
                values.min().toFloatArray(),
                values.max().toFloatArray());
    }

    Optional<TensorCalibration> calibration() {
        return Optional.ofNullable(kept).map(values -> calibration(point, values, axis));
    }

    void restore(TensorCalibration calibration) {
        float[] min = calibration.min();
        float[] max = calibration.max();
        if (min == null || max == null) {
            throw new IllegalArgumentException(point + ": the calibration tracks no range");
        }
        QuantizationParameters p = calibration.parameters();
        close();
        kept =
                new Values(
                        manager.create(min),
                        manager.create(max),
                        manager.create(p.scale()),
                        manager.create(p.zeroPoint()));
        axis = p.axis();
    }

    QuantizerState state(Map<String, Long> counters) {
        Map<String, float[]> arrays = new HashMap<>();
        Map<String, Long> all = new HashMap<>(counters);
        all.put("axis", (long) axis);
        Values values = kept;
        if (values != null) {
            arrays.put("min", values.min().toFloatArray());
            arrays.put("max", values.max().toFloatArray());
            arrays.put("scale", values.scale().toFloatArray());
            arrays.put("zero_point", floats(values.zeroPoint().toIntArray()));
        }
        return new QuantizerState(arrays, all);
    }

    void load(QuantizerState state) {
        float[] min = state.arrays().get("min");
        if (min == null) {
            close();
            axis = QuantizationParameters.PER_TENSOR;
            return;
        }
        float[] max = state.array("max", min.length);
        float[] scale = state.array("scale", min.length);
        int[] zeroPoint = ints(state.array("zero_point", min.length));
        QuantizationParameters p =
                new QuantizationParameters(scale, zeroPoint, (int) state.counter("axis"));
        restore(new TensorCalibration(point.type(), point.scheme(), p, min, max));
    }

    /** Zero points of 16 bits and less are exact in a float. */
    private static float[] floats(int[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    private static int[] ints(float[] values) {
        int[] result = new int[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (int) values[i];
        }
        return result;
    }

    @Override
    public void close() {
        Values old = kept;
        kept = null;
        if (old != null) {
            old.min().close();
            old.max().close();
            old.scale().close();
            old.zeroPoint().close();
        }
    }
}
