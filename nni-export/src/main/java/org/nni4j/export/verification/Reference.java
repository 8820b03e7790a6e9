package org.nni4j.export.verification;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nni4j.compression.Inspection;
import org.nni4j.export.integer.TensorSite;
import org.nni4j.fakequant.TensorTap;

/**
 * What the fake-quantized network computes for some samples.
 *
 * @param tensors every tensor as it was fake-quantized
 * @param outputs the network's outputs
 */
public record Reference(Map<TensorSite, Tensor> tensors, List<Tensor> outputs) {

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
     * @param samples its inputs
     * @return all its quantized tensors
     */
    public static Reference of(Inspection inspection, NDList samples) {
        Map<TensorSite, Tensor> tensors = new HashMap<>();
        Map<TensorSite, Integer> runs = new HashMap<>();
        TensorTap tap =
                (path, side, position, tensor) -> {
                    TensorSite first = new TensorSite(path, side, position, 0);
                    int run = runs.merge(first, 1, Integer::sum) - 1;
                    tensors.put(new TensorSite(path, side, position, run), Tensor.of(tensor));
                };
        try (NDManager scope = samples.head().getManager().newSubManager()) {
            NDList inputs = new NDList();
            samples.forEach(sample -> inputs.add(view(sample, scope)));
            List<Tensor> outputs = new ArrayList<>();
            for (NDArray output : inspection.evaluate(inputs, tap)) {
                if (output.getDataType().isFloating()) {
                    outputs.add(Tensor.of(output));
                }
            }
            return new Reference(tensors, outputs);
        }
    }

    /** What the network computes then belongs to the scope. */
    private static NDArray view(NDArray array, NDManager scope) {
        NDArray view = array.reshape(array.getShape());
        view.attach(scope);
        return view;
    }
}
