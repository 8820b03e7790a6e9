package org.nni4j.algorithms.observer;

import java.util.Map;
import java.util.Optional;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Writes a frozen calibration into a quantizer's state, and reads it back. */
final class FrozenState {

    private static final String SCALE = "frozen.scale";
    private static final String ZERO_POINT = "frozen.zero_point";
    private static final String MIN = "frozen.min";
    private static final String MAX = "frozen.max";

    private FrozenState() {}

    static void write(TensorCalibration calibration, Map<String, float[]> arrays) {
        QuantizationParameters parameters = calibration.parameters();
        int[] zero = parameters.zeroPoint();
        float[] zeroPoint = new float[zero.length];
        for (int i = 0; i < zero.length; i++) {
            zeroPoint[i] = zero[i];
        }
        arrays.put(SCALE, parameters.scale());
        arrays.put(ZERO_POINT, zeroPoint);
        float[] min = calibration.min();
        float[] max = calibration.max();
        if (min != null && max != null) {
            arrays.put(MIN, min);
            arrays.put(MAX, max);
        }
    }

    static Optional<TensorCalibration> read(
            Map<String, float[]> arrays, QuantizedType type, QuantizationScheme scheme, int axis) {
        float[] scale = arrays.get(SCALE);
        float[] zeroPoint = arrays.get(ZERO_POINT);
        if (scale == null || zeroPoint == null) {
            return Optional.empty();
        }
        int[] zero = new int[zeroPoint.length];
        for (int i = 0; i < zero.length; i++) {
            zero[i] = (int) zeroPoint[i];
        }
        QuantizationParameters parameters = new QuantizationParameters(scale, zero, axis);
        float[] min = arrays.get(MIN);
        float[] max = arrays.get(MAX);
        return Optional.of(
                new TensorCalibration(
                        type,
                        scheme,
                        parameters,
                        min == null ? bound(parameters, type.qmin()) : min,
                        max == null ? bound(parameters, type.qmax()) : max));
    }

    /** Calibrations from elsewhere may lack the range; then it is what the integers reach. */
    private static float[] bound(QuantizationParameters parameters, int integer) {
        float[] bound = parameters.scale();
        int[] zero = parameters.zeroPoint();
        for (int i = 0; i < bound.length; i++) {
            bound[i] = AffineQuantization.dequantize(integer, bound[i], zero[i]);
        }
        return bound;
    }
}
