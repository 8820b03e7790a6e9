package org.nni4j.algorithms.lsq;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.fakequant.LearnedValue;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationParameters;

/** The step sizes of one tensor: how they begin, and how they stay positive. */
final class StepSizes {

    static final String STEP_SIZE = "step_size";
    static final String AXIS = "axis";
    private static final String DIVERGED = "diverged";

    /*
     * A step size must stay positive, and one that an update brought near 0 makes its tensor saturate altogether. Clipping
     * it at some tiny number would leave it there for long. So an update takes away half of a step size at most, which no
     * converging run notices, and from which a step size recovers in a few updates.
     */
    private static final float KEPT_BY_AN_UPDATE = 0.5f;

    private final QuantizationPoint point;
    private final LearnedValue value;
    private final boolean countsBatch;
    private float[] before = {};

    /**
     * Makes step sizes that await their first values.
     *
     * @param countsBatch see {@link StepLearning}
     */
    StepSizes(QuantizationPoint point, NDManager manager, boolean countsBatch) {
        this.point = point;
        this.value = new LearnedValue(point + ": step size", manager);
        this.countsBatch = countsBatch;
    }

    LearnedValue value() {
        return value;
    }

    /**
     * The paper's first step sizes, {@code 2 · mean|v| / sqrt(qmax)}, of one tensor or of each
     * channel.
     *
     * @return null if the tensor says nothing: all zeros, or with NaN or infinite values
     */
    static float @Nullable [] first(float[] means, int qmax) {
        double sum = 0;
        for (float mean : means) {
            sum += mean;
        }
        if (!(sum > 0) || Double.isInfinite(sum)) {
            return null;
        }
        // A channel of zeros begins with the others' mean.
        float stand = (float) (sum / means.length);
        float[] sizes = new float[means.length];
        for (int i = 0; i < sizes.length; i++) {
            float mean = means[i] > 0 ? means[i] : stand;
            float size = (float) (2 * mean / Math.sqrt(qmax));
            sizes[i] = Math.max(Math.min(size, Float.MAX_VALUE), AffineQuantization.EPSILON);
        }
        return sizes;
    }

    /** Mean magnitudes, read back. */
    static float[] meanMagnitudes(NDArray tensor, int axis) {
        try (NDManager scope = tensor.getManager().newSubManager()) {
            NDArray magnitudes = alias(tensor, scope).abs();
            if (axis == QuantizationParameters.PER_TENSOR) {
                return magnitudes.mean().toFloatArray();
            }
            NDArray rows = magnitudes.swapAxes(0, axis).reshape(tensor.getShape().get(axis), -1);
            return rows.mean(new int[] {1}).toFloatArray();
        }
    }

    static boolean hasNegative(NDArray tensor) {
        try (NDManager scope = tensor.getManager().newSubManager()) {
            return alias(tensor, scope).min().toFloatArray()[0] < 0;
        }
    }

    private static NDArray alias(NDArray tensor, NDManager scope) {
        NDArray alias = tensor.stopGradient();
        alias.attach(scope);
        return alias.toType(DataType.FLOAT32, false);
    }

    /**
     * The paper's gradient scale, with n the number of values that share a step size, in the batch
     * or in one sample.
     */
    double gradientScale(NDArray tensor, int axis, int qmax) {
        Shape shape = tensor.getShape();
        long channels = axis == QuantizationParameters.PER_TENSOR ? 1 : shape.get(axis);
        long samples = countsBatch || shape.isScalar() || axis == 0 ? 1 : shape.get(0);
        return 1 / Math.sqrt(Math.max(1.0, (double) tensor.size() / channels / samples) * qmax);
    }

    /**
     * The whole numbers that a state holds of step sizes.
     *
     * @param axis the channels'
     */
    Map<String, Long> counters(int axis) {
        Map<String, Long> counters = new LinkedHashMap<>();
        counters.put(AXIS, (long) axis);
        // No file holds what is no number. A network that diverged can have it, and comes back to
        // it where what it was to load instead is refused.
        for (float size : value.values()) {
            if (!isStepSize(size)) {
                counters.put(DIVERGED, 1L);
            }
        }
        return counters;
    }

    private static boolean isStepSize(float size) {
        return size > 0 && Float.isFinite(size);
    }

    /**
     * Reads step sizes from a state that has some.
     *
     * @throws IllegalArgumentException if there are not as many as the tensor has, or one is not
     *     positive and finite
     */
    float[] saved(QuantizerState state) {
        float[] saved = Objects.requireNonNull(state.arrays().get(STEP_SIZE));
        checkLength(STEP_SIZE, saved, expectedLength(saved.length));
        for (float size : saved) {
            if (!isStepSize(size) && !state.counters().containsKey(DIVERGED)) {
                throw new IllegalArgumentException(
                        point
                                + ": quantizer state \""
                                + STEP_SIZE
                                + "\": got "
                                + size
                                + "; expected positive finite numbers");
            }
        }
        return saved;
    }

    /** The number of channels is known once there were step sizes. */
    private int expectedLength(int saved) {
        if (!point.scheme().isPerChannel()) {
            return 1;
        }
        return value.parameter().isInitialized()
                ? Math.toIntExact(value.parameter().getArray().size())
                : Math.max(saved, 1);
    }

    /**
     * Checks how many values a state holds.
     *
     * @throws IllegalArgumentException if not as many as expected
     */
    void checkLength(String name, float[] values, int expected) {
        if (values.length != expected) {
            throw new IllegalArgumentException(
                    point
                            + ": quantizer state \""
                            + name
                            + "\": got "
                            + values.length
                            + " values; expected "
                            + expected);
        }
    }

    /**
     * Reads the channels' axis from a state. States that were written before it was part of them
     * have the point's; where features come last that is known with the next tensor only.
     *
     * @return an axis, or {@link QuantizationParameters#PER_TENSOR}
     * @throws IllegalArgumentException if it is no axis
     */
    static int axis(QuantizerState state, QuantizationPoint point) {
        if (!point.scheme().isPerChannel()) {
            return QuantizationParameters.PER_TENSOR;
        }
        long axis = state.counters().getOrDefault(AXIS, (long) point.channelAxis());
        if (axis < QuantizationPoint.LAST_AXIS || axis > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    point + ": quantizer state \"" + AXIS + "\" is " + axis + "; expected an axis");
        }
        return (int) axis;
    }

    void beforeUpdate(NDArray sizes) {
        before = sizes.toFloatArray();
    }

    void afterUpdate(NDArray sizes) {
        float[] updated = sizes.toFloatArray();
        boolean changed = false;
        for (int i = 0; i < updated.length && before.length == updated.length; i++) {
            float least = Math.max(before[i] * KEPT_BY_AN_UPDATE, AffineQuantization.EPSILON);
            // What is no number any more stays so, to be noticed.
            if (Float.isFinite(updated[i]) && updated[i] < least) {
                updated[i] = least;
                changed = true;
            }
        }
        if (changed) {
            LearnedValue.write(sizes, updated);
        }
    }
}
