package org.nni4j.calibration;

import org.jspecify.annotations.Nullable;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * How one tensor is quantized.
 *
 * @param type bits and dtype
 * @param scheme how the range became parameters
 * @param parameters scale and zero point
 * @param min the tracked minimum, one value or one per channel; null where the algorithm tracks none
 * @param max the tracked maximum, as min
 */
public record TensorCalibration(
        QuantizedType type,
        QuantizationScheme scheme,
        QuantizationParameters parameters,
        float @Nullable [] min,
        float @Nullable [] max) {}
