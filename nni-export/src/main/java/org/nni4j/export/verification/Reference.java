package org.nni4j.export.verification;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nni4j.compression.Inspection;
import org.nni4j.export.integer.TensorSite;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.fakequant.TensorTap;

/**
 * What the fake-quantized network computes for some samples.
 *
 * @param tensors every tensor as it was fake-quantized
 * @param outputs the network's outputs, of any type
 */
public record Reference(Map<TensorSite, Tensor> tensors, List<RuntimeTensor> outputs) {

    /**
     * A tensor in Java's memory.
     *
     * @param elements row by row; shared, not to be changed
     * @param shape its sizes; shared, not to be changed
     */
    public record Tensor(float[] elements, long[] shape) {
        static Tensor of(NDArray array) {
            return new Tensor(array.toFloatArray(), array.getShape().getShape());
        }
    }

    /**
     * Evaluates the network.
     *
     * @param inspection of the quantized model
     * @param samples its inputs; what it computes goes to their manager
     * @return all its quantized tensors
     */
    static Reference of(Inspection inspection, NDList samples) {
        Map<TensorSite, Tensor> tensors = new HashMap<>();
        Map<TensorSite, Integer> runs = new HashMap<>();
        TensorTap tap =
                (path, side, position, tensor) -> {
                    TensorSite first = new TensorSite(path, side, position, 0);
                    int run = runs.merge(first, 1, Integer::sum) - 1;
                    tensors.put(new TensorSite(path, side, position, run), Tensor.of(tensor));
                };
        List<RuntimeTensor> outputs =
                inspection.evaluate(samples, tap).stream().map(RuntimeTensor::of).toList();
        return new Reference(tensors, outputs);
    }
}
