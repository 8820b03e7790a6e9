package org.nni4j.export.integer;

import org.nni4j.calibration.TensorCalibration;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.quantization.AffineQuantization;
import org.nni4j.quantization.QuantizationParameters;

/**
 * How a tensor that flows between operators maps to integers.
 *
 * @param parameters scale and zero point
 * @param qmin the smallest integer
 * @param qmax the largest integer
 * @param sign whether only the sign is kept, as one step up or down; 0 counts as positive
 */
public record TensorCodes(QuantizationParameters parameters, int qmin, int qmax, boolean sign) {

    static TensorCodes of(TensorCalibration calibration, boolean sign) {
        return new TensorCodes(
                calibration.parameters(),
                calibration.type().qmin(),
                calibration.type().qmax(),
                sign);
    }

    /**
     * Tells whether there is one scale for the tensor.
     *
     * @return false for one per channel
     */
    public boolean isPerTensor() {
        return parameters.axis() == QuantizationParameters.PER_TENSOR;
    }

    /**
     * Returns the scale of a per-tensor quantization.
     *
     * @return the first scale
     */
    public float scale() {
        return parameters.scale()[0];
    }

    /**
     * Returns the zero point of a per-tensor quantization.
     *
     * @return the first zero point
     */
    public int zeroPoint() {
        return parameters.zeroPoint()[0];
    }

    /**
     * Returns the type that holds the integers.
     *
     * @return eight bits where that is enough, else sixteen
     */
    public OnnxType carrier() {
        if (qmin >= 0) {
            return qmax <= 0xFF ? OnnxType.UINT8 : OnnxType.UINT16;
        }
        return qmin >= Byte.MIN_VALUE && qmax <= Byte.MAX_VALUE ? OnnxType.INT8 : OnnxType.INT16;
    }

    /** Whether the carrier saturates elsewhere than the integers do. */
    boolean isNarrower() {
        return switch (carrier()) {
            case UINT8 -> qmin > 0 || qmax < 0xFF;
            case INT8 -> qmin > Byte.MIN_VALUE || qmax < Byte.MAX_VALUE;
            case UINT16 -> qmin > 0 || qmax < 0xFFFF;
            default -> qmin > Short.MIN_VALUE || qmax < Short.MAX_VALUE;
        };
    }

    /** The integer of one value, where there is one scale. */
    int code(float x) {
        return AffineQuantization.quantize(x, scale(), zeroPoint(), qmin, qmax);
    }

    /** Whether everything that is at most 0 has the smallest integer, as after a ReLU. */
    boolean startsAtZero() {
        return isPerTensor() && !sign && zeroPoint() == qmin;
    }
}
