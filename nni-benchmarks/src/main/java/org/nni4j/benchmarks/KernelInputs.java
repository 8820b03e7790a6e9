package org.nni4j.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/**
 * What the kernels are given beside the tensor.
 *
 * @param one the number
 * @param scale a single one
 * @param zeroPoint likewise
 * @param scales per channel
 * @param zeroPoints per channel
 * @param min of a tracked range
 * @param max of a tracked range
 * @param step learned
 * @param steps learned, per channel
 */
record KernelInputs(
        NDArray one,
        NDArray scale,
        NDArray zeroPoint,
        NDArray scales,
        NDArray zeroPoints,
        NDArray min,
        NDArray max,
        NDArray step,
        NDArray steps) {

    /** Makes them for values of a standard normal distribution, owned by the manager. */
    static KernelInputs create(NDManager manager, int channels) {
        Shape one = new Shape(1);
        Shape many = new Shape(channels);
        NDArray step = manager.full(one, 0.5f);
        step.setRequiresGradient(true);
        NDArray steps = manager.full(many, 0.5f);
        steps.setRequiresGradient(true);
        return new KernelInputs(
                manager.ones(one),
                manager.full(one, 0.03f),
                manager.zeros(one, DataType.INT32),
                manager.full(many, 0.03f),
                manager.zeros(many, DataType.INT32),
                manager.full(one, -4f),
                manager.full(one, 4f),
                step,
                steps);
    }
}
