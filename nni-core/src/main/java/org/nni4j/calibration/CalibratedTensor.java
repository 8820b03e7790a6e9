package org.nni4j.calibration;

import org.nni4j.config.QuantType;

/**
 * One quantized tensor of a layer.
 *
 * @param quantType weight, input or output
 * @param tensor the parameter's name for a weight; the position ("0", "1", …) of an input or output
 * @param calibration how it is quantized
 */
public record CalibratedTensor(QuantType quantType, String tensor, TensorCalibration calibration) {}
