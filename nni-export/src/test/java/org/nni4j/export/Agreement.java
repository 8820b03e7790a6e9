package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.onnxruntime.OrtException;
import java.util.List;

/** Whether a model computes in ONNX Runtime what its network computes in DJL. */
final class Agreement {

    private Agreement() {}

    /** Normal numbers, of given shapes but for the batch size. */
    static NDList normal(NDManager manager, long batch, Shape... shapes) {
        NDList inputs = new NDList();
        for (Shape shape : shapes) {
            long[] sizes = shape.getShape().clone();
            sizes[0] = batch;
            inputs.add(manager.randomNormal(new Shape(sizes)));
        }
        return inputs;
    }

    /** The largest difference of each output, over the largest magnitude of that output. */
    static void assertClose(String what, Block block, OnnxRun run, NDList inputs, double tolerance)
            throws OrtException {
        List<OnnxRun.Output> actual = run.run(inputs);
        NDList expected =
                block.forward(new ParameterStore(inputs.head().getManager(), false), inputs, false);
        assertThat(actual).as(what).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            String output = what + ", output " + i;
            assertThat(actual.get(i).shape()).as(output).isEqualTo(expected.get(i).getShape());
            double difference =
                    difference(actual.get(i).elements(), expected.get(i).toFloatArray());
            assertThat(difference).as(output).isLessThan(tolerance);
        }
    }

    static double difference(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 0;
        double magnitude = 0;
        for (int i = 0; i < actual.length; i++) {
            largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
            magnitude = Math.max(magnitude, Math.abs(expected[i]));
        }
        assertThat(magnitude).as("something to compare").isPositive();
        return largest / magnitude;
    }
}
