package org.nni4j.algorithms.dynamic;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizedType;

/**
 * Quantizes a weight by its largest magnitude, or by the scales of a calibration that was loaded.
 */
final class DynamicWeightQuantizer implements TensorQuantizer {

    private static final String SCALE = "scale";
    private static final String LOADED = "loaded";

    private final QuantizationPoint point;
    private final QuantizedType type;
    private final Profile profile;
    private final boolean reduced;
    private float @Nullable [] scale;
    private boolean loaded;

    DynamicWeightQuantizer(
            QuantizationPoint point, QuantizedType type, Profile profile, boolean reduced) {
        this.point = point;
        this.type = type;
        this.profile = profile;
        this.reduced = reduced;
    }

    /**
     * Turns a weight into integers.
     *
     * @param weight float32 {@code [out, ...]}
     * @return owned by the weight's manager
     */
    Integers integers(NDArray weight) {
        NDArray scales = weight.getManager().create(scales(weight));
        NDArray integers =
                weight.div(scales.size() == 1 ? scales : Integers.perRow(scales, weight))
                        .round()
                        .clip(profile.weightMin(reduced), profile.weightMax(reduced));
        return new Integers(integers, scales);
    }

    private synchronized float[] scales(NDArray weight) {
        return loaded && scale != null ? scale : scalesOf(weight);
    }

    private float[] scalesOf(NDArray weight) {
        NDArray magnitudes = weight.abs();
        float[] largest =
                point.scheme().isPerChannel()
                        ? magnitudes
                                .reshape(weight.getShape().get(0), -1)
                                .max(new int[] {1})
                                .toFloatArray()
                        : magnitudes.max().toFloatArray();
        for (int i = 0; i < largest.length; i++) {
            if (!Float.isFinite(largest[i])) {
                throw new IllegalArgumentException(
                        point
                                + ": holds "
                                + largest[i]
                                + "; a weight must be finite to be quantized");
            }
            largest[i] = profile.weightScale(largest[i], reduced);
        }
        return largest;
    }

    @Override
    public NDArray quantize(NDArray weight, ForwardContext context) {
        if (weight.isEmpty()) {
            return weight;
        }
        try (NDManager scope = weight.getManager().newSubManager()) {
            return Scoped.result(integers(Scoped.float32(weight, scope)).dequantize(), weight);
        }
    }

    @Override
    public synchronized void describe(NDArray weight) {
        if (!loaded && !weight.isEmpty()) {
            try (NDManager scope = weight.getManager().newSubManager()) {
                scale = scalesOf(Scoped.float32(weight, scope));
            }
        }
    }

    @Override
    public synchronized Optional<TensorCalibration> calibration() {
        if (scale == null) {
            return Optional.empty();
        }
        float[] min = scale.clone();
        float[] max = scale.clone();
        for (int i = 0; i < max.length; i++) {
            min[i] *= profile.weightMin(reduced);
            max[i] *= profile.weightMax(reduced);
        }
        int axis = point.scheme().isPerChannel() ? 0 : QuantizationParameters.PER_TENSOR;
        return Optional.of(
                new TensorCalibration(
                        type,
                        point.scheme(),
                        new QuantizationParameters(scale, new int[scale.length], axis),
                        min,
                        max));
    }

    @Override
    public synchronized void restore(TensorCalibration calibration) {
        scale = calibration.parameters().scale();
        loaded = true;
    }

    @Override
    public synchronized QuantizerState state() {
        Map<String, float[]> arrays = new LinkedHashMap<>();
        if (scale != null) {
            arrays.put(SCALE, scale.clone());
        }
        return new QuantizerState(arrays, Map.of(LOADED, loaded ? 1L : 0L));
    }

    @Override
    public synchronized void load(QuantizerState state) {
        long saved = state.counter(LOADED);
        float[] scales = state.arrays().get(SCALE);
        scale = scales == null ? null : scales.clone();
        loaded = saved == 1 && scale != null;
    }

    @Override
    public void close() {
        // nothing native is kept
    }
}
