package org.nni4j.observer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Looks at tensors and says which range of them is worth quantizing.
 *
 * <p>An observer holds the same amount of memory whatever it has seen. Two observers that saw
 * different data merge into what one would be that saw both; for {@link ObserverKind#EMA}, whose
 * answer depends on the order, the other's batches count as the later ones.
 *
 * <p>Not safe for use by several threads.
 */
public abstract sealed class Observer permits EmaObserver, HistogramBasedObserver, MinMaxObserver {

    private static final String CHANNELS = "channels";

    private int channels;

    Observer() {}

    /**
     * Takes note of a tensor. Its values are read back; empty tensors are passed over.
     *
     * @param tensor any floating shape
     * @param axis the axis whose positions have a range of their own, or {@link
     *     QuantizationParameters#PER_TENSOR}
     * @throws IllegalArgumentException if a value is not finite, or if the number of channels is
     *     not that of the tensors before
     */
    public final void observe(NDArray tensor, int axis) {
        float[] values = read(tensor);
        Shape shape = tensor.getShape();
        boolean perTensor = axis == QuantizationParameters.PER_TENSOR;
        observe(
                values,
                perTensor ? 1 : Math.toIntExact(shape.get(axis)),
                perTensor ? 1 : Math.toIntExact(shape.slice(axis + 1).size()));
    }

    /**
     * Takes note of values that share one range.
     *
     * @param values finite
     * @throws IllegalArgumentException if a value is not finite, or if the values before were of
     *     several channels
     */
    public final void observe(float... values) {
        observe(values, 1, 1);
    }

    private static float[] read(NDArray tensor) {
        if (tensor.getDataType() == DataType.FLOAT32) {
            return tensor.toFloatArray();
        }
        try (NDManager scope = tensor.getManager().newSubManager()) {
            NDArray converted = tensor.toType(DataType.FLOAT32, true);
            converted.attach(scope);
            return converted.toFloatArray();
        }
    }

    private void observe(float[] values, int count, int inner) {
        if (values.length == 0) {
            return;
        }
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new IllegalArgumentException(
                        "a tensor to be observed holds " + value + "; expected finite values");
            }
        }
        fix(count);
        add(values, count, inner);
    }

    private void fix(int count) {
        if (channels != 0 && channels != count) {
            throw new IllegalArgumentException(
                    "got " + count + " channels after " + channels + "; expected as many");
        }
        if (channels == 0) {
            channels = count;
            begin(count);
        }
    }

    /**
     * Tells whether anything was seen.
     *
     * @return true before the first tensor
     */
    public final boolean isEmpty() {
        return channels == 0;
    }

    final int channels() {
        return channels;
    }

    /**
     * Returns the range to be quantized.
     *
     * @param type the integer type; searching observers weigh clipping against its steps
     * @param scheme affine or symmetric
     * @return one range per channel
     * @throws IllegalStateException if nothing was seen
     */
    public final ObservedRange range(QuantizedType type, QuantizationScheme scheme) {
        if (isEmpty()) {
            throw new IllegalStateException("nothing was observed yet");
        }
        float[] min = new float[channels];
        float[] max = new float[channels];
        for (int c = 0; c < channels; c++) {
            float[] range = range(c, type, scheme);
            min[c] = range[0];
            max[c] = range[1];
        }
        return new ObservedRange(min, max);
    }

    /**
     * Takes over what another observer saw.
     *
     * @param other of the same kind and options; unchanged
     * @throws IllegalArgumentException if the other is of another kind, or saw another number of
     *     channels; then nothing is changed
     */
    public final void merge(Observer other) {
        if (other.getClass() != getClass()) {
            throw new IllegalArgumentException(
                    "cannot merge "
                            + other.getClass().getSimpleName()
                            + " into "
                            + getClass().getSimpleName());
        }
        checkOptions(other);
        if (!other.isEmpty()) {
            fix(other.channels);
            add(other);
        }
    }

    /**
     * Returns a snapshot.
     *
     * @return float values by name, empty if nothing was seen; whole numbers are split so that
     *     floats hold them exactly
     */
    public final Map<String, float[]> state() {
        Map<String, float[]> state = new LinkedHashMap<>();
        if (!isEmpty()) {
            state.put(CHANNELS, new float[] {channels});
            write(state);
        }
        return state;
    }

    /**
     * Goes back to a snapshot.
     *
     * @param state from an observer of the same kind and options
     * @throws IllegalArgumentException if it is not such a snapshot; then nothing is changed
     */
    public final void load(Map<String, float[]> state) {
        Map<String, float[]> before = state();
        try {
            replace(state);
        } catch (RuntimeException e) {
            replace(before);
            throw e;
        }
    }

    private void replace(Map<String, float[]> state) {
        channels = 0;
        if (!state.isEmpty()) {
            float announced = value(state, CHANNELS, 1)[0];
            int given = channels(state);
            if (given < 1 || announced != given) {
                throw new IllegalArgumentException(
                        "observer state \"channels\" is "
                                + announced
                                + ", and there are values of "
                                + given
                                + "; expected as many, and 1 at least");
            }
            fix(given);
            read(state);
        }
    }

    /** Makes room for the channels of the first tensor; called once, unless loading starts over. */
    abstract void begin(int count);

    /** Takes note of finite values: value i belongs to channel {@code i / inner % count}. */
    abstract void add(float[] values, int count, int inner);

    /**
     * Refuses another observer of this class that has seen as this one would not.
     *
     * @throws IllegalArgumentException if it is so
     */
    void checkOptions(Observer other) {}

    /** Takes over another observer of this class that saw as many channels. */
    abstract void add(Observer other);

    /** Returns minimum and maximum of one channel. */
    abstract float[] range(int channel, QuantizedType type, QuantizationScheme scheme);

    abstract void write(Map<String, float[]> state);

    /**
     * Counts the channels whose values a state holds. Only so many get room: what a file announces
     * is not to be trusted.
     */
    abstract int channels(Map<String, float[]> state);

    /** Reads what was written; {@link #begin} was called. */
    abstract void read(Map<String, float[]> state);

    /** The length of an array that must be there. */
    static int length(Map<String, float[]> state, String name) {
        float[] value = state.get(name);
        if (value == null) {
            throw new IllegalArgumentException("observer state \"" + name + "\" is missing");
        }
        return value.length;
    }

    /** Minimum and maximum of a channel; whatever was observed was a finite float. */
    static void checkRange(String name, double min, double max) {
        boolean finite = Math.abs(min) <= Float.MAX_VALUE && Math.abs(max) <= Float.MAX_VALUE;
        if (!finite || min > max) {
            throw new IllegalArgumentException(
                    "observer state \""
                            + name
                            + "\" is "
                            + min
                            + " and "
                            + max
                            + "; expected a finite minimum and maximum");
        }
    }

    static float[] value(Map<String, float[]> state, String name, int length) {
        float[] value = state.get(name);
        if (value == null || value.length != length) {
            throw new IllegalArgumentException(
                    "observer state \""
                            + name
                            + "\" "
                            + (value == null ? "is missing" : "has " + value.length + " values")
                            + "; expected "
                            + length);
        }
        return value;
    }
}
