package org.nni4j.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NdArrayKernelsTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final NDManager lasting = manager.newSubManager();
    private final NDManager step = manager.newSubManager();
    private final QuantizationKernels kernels = new NdArrayKernels();

    @BeforeEach
    void openEngine() {
        Engine.getInstance();
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void fakeQuantize_nniMask_isTheRoundedIntegerInRange() {
        NDArray x = step.create(new float[] {-7.6f, -7.5f, -7.4f, 7.4f, 7.5f});
        assertThat(gradient(x, -7, 7)).containsExactly(0, 0, 1, 1, 0);
        NDArray u = step.create(new float[] {-0.6f, -0.5f, 15.4f, 15.5f});
        assertThat(gradient(u, 0, 15)).containsExactly(0, 1, 1, 0);
    }

    private float[] gradient(NDArray x, int qmin, int qmax) {
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y =
                    kernels.fakeQuantize(
                            x,
                            step.create(new float[] {1}),
                            step.create(new int[] {0}),
                            qmin,
                            qmax,
                            -1);
            // A plain sum's gradient is one broadcast number: changing it in place would change
            // all.
            collector.backward(y.sum());
        }
        return x.getGradient().toFloatArray();
    }

    @Test
    void fakeQuantize_infinities_saturateWithoutGradient() {
        NDArray x =
                step.create(new float[] {Float.NEGATIVE_INFINITY, 1.2f, Float.POSITIVE_INFINITY});
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y =
                    kernels.fakeQuantize(
                            x, step.create(new float[] {1}), step.create(new int[] {0}), -7, 7, -1);
            collector.backward(y.sum());
            assertThat(y.toFloatArray()).containsExactly(-7, 1, 7);
        }
        assertThat(x.getGradient().toFloatArray()).containsExactly(0, 1, 0);
    }

    @Test
    void range_anyAxis_reducesTheOthers() {
        NDArray x = step.arange(24f).reshape(2, 3, 4);
        assertThat(kernels.range(x, -1).get(1).toFloatArray()).containsExactly(23);
        assertThat(kernels.range(x, 0).get(0).toFloatArray()).containsExactly(0, 12);
        assertThat(kernels.range(x, 1).get(1).toFloatArray()).containsExactly(15, 19, 23);
        assertThat(kernels.range(x, 2).get(0).toFloatArray()).containsExactly(0, 1, 2, 3);
    }

    @Test
    void range_emptyTensor_isZero() {
        NDArray x = step.zeros(new Shape(0, 3));
        assertThat(kernels.range(x, -1).get(0).toFloatArray()).containsExactly(0);
        assertThat(kernels.range(x, 1).get(1).toFloatArray()).containsExactly(0, 0, 0);
    }

    @Test
    void everyKernel_lastingParameters_leavesNothingOnTheirManager() {
        NDArray scale = lasting.create(new float[] {0.1f, 0.2f});
        NDArray zeroPoint = lasting.create(new int[] {3, 4});
        NDArray x = step.randomNormal(new Shape(2, 5));
        NDList results = kernels.range(x, 0);
        results.add(kernels.fakeQuantize(x, scale, zeroPoint, 0, 255, 0));
        results.add(kernels.quantizeDequantize(x, scale, zeroPoint, 0, 255, 0));
        assertThat(lasting.getManagedArrays()).hasSize(2);
        assertThat(step.getManagedArrays()).hasSize(1 + results.size());
        assertThat(results).allMatch(r -> r.getManager() == step);
    }
}
