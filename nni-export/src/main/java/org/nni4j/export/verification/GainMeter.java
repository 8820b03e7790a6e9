package org.nni4j.export.verification;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.nni4j.export.runtime.ModelRunner;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.runtime.SessionSettings;
import org.nni4j.export.runtime.Timing;

/** Times the float network in DJL, and the float and the integer model in ONNX Runtime, in turn. */
public final class GainMeter {

    private final byte[] floating;
    private final byte[] integer;
    private final int threads;

    /**
     * Prepares.
     *
     * @param floating the float ONNX model
     * @param integer the integer ONNX model
     * @param threads of ONNX Runtime
     */
    public GainMeter(byte[] floating, byte[] integer, int threads) {
        this.floating = floating;
        this.integer = integer;
        this.threads = threads;
    }

    /**
     * Measures.
     *
     * @param block the float network
     * @param samples repeated until they fill a batch
     * @param sizes of the batches
     * @param seconds for each batch size
     * @return what was measured
     */
    public Gains measure(Block block, NDList samples, List<Integer> sizes, double seconds) {
        List<Gains.Batch> batches = new ArrayList<>();
        for (int size : sizes) {
            try (NDManager scope = samples.head().getManager().newSubManager()) {
                batches.add(batch(block, batch(samples, size, scope), size, seconds));
            }
        }
        return new Gains(floating.length, integer.length, threads, batches);
    }

    /**
     * Measures a model for one batch size.
     *
     * @param block the float network
     * @param samples as many as the model takes
     * @param seconds in all
     * @return what was measured
     */
    public Gains measureAsGiven(Block block, NDList samples, double seconds) {
        long[] shape = samples.head().getShape().getShape();
        int size = shape.length == 0 ? 1 : (int) shape[0];
        return new Gains(
                floating.length,
                integer.length,
                threads,
                List.of(batch(block, samples, size, seconds)));
    }

    private Gains.Batch batch(Block block, NDList inputs, int size, double seconds) {
        List<RuntimeTensor> tensors = inputs.stream().map(RuntimeTensor::of).toList();
        SessionSettings settings = SessionSettings.standard(threads);
        try (ModelRunner one = new ModelRunner(floating, settings, tensors);
                ModelRunner other = new ModelRunner(integer, settings, tensors)) {
            List<Timing> timings = Timing.interleaved(List.of(one, other), seconds * 2 / 3);
            // Afterwards, and not in turn with them: the engine's threads go on spinning.
            Timing djl =
                    Timing.interleaved(List.of(() -> forward(block, inputs)), seconds / 3).get(0);
            return new Gains.Batch(
                    size,
                    djl.median(),
                    timings.get(0).median(),
                    timings.get(1).median(),
                    timings.get(0).best(),
                    timings.get(1).best(),
                    timings.get(1).runs());
        }
    }

    private static void forward(Block block, NDList inputs) {
        try (NDManager scope = inputs.head().getManager().newSubManager()) {
            NDList own = new NDList();
            for (NDArray input : inputs) {
                NDArray view = input.reshape(input.getShape());
                view.attach(scope);
                own.add(view);
            }
            // Reading it waits for it.
            block.forward(new ParameterStore(scope, false), own, false).head().toByteBuffer();
        }
    }

    private static NDList batch(NDList samples, int size, NDManager scope) {
        NDList batch = new NDList();
        for (NDArray sample : samples) {
            long rows = sample.getShape().get(0);
            long[] indices = new long[size];
            for (int i = 0; i < size; i++) {
                indices[i] = i % rows;
            }
            NDArray taken = sample.get(scope.create(indices));
            taken.attach(scope);
            batch.add(taken);
        }
        return batch;
    }
}
