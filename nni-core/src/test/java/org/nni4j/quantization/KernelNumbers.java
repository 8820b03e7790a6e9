package org.nni4j.quantization;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;

/** A test of numbers found out by running other implementations, and by hand. */
abstract class KernelNumbers {

    static final float INF = Float.POSITIVE_INFINITY;

    /** What {@link #backward} propagates through six values. */
    static final float[] UPSTREAM = {1, 2, 3, 4, 5, 6};

    final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    QuantizationKernels kernels(String name) {
        return QuantizationKernels.create(name, manager);
    }

    NDArray array(float... values) {
        return manager.create(values);
    }

    static float[] a(float... values) {
        return values;
    }

    NDArray weight() {
        return manager.create(new float[] {-0.9f, 0.25f, 0.4f, 0.1f, -0.3f, 1.3f}, new Shape(2, 3));
    }

    /**
     * Backpropagates 1, 2, 3, … through y = f(x), and returns y. Multiplying by float32 promotes
     * float16; toType would stop the gradient.
     */
    float[] backward(NDArray x, Function<NDArray, NDArray> f, NDArray... learned) {
        x.setRequiresGradient(true);
        for (NDArray parameter : learned) {
            parameter.setRequiresGradient(true);
        }
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = f.apply(x);
            NDArray upstream = manager.arange(1f, y.size() + 1f).reshape(y.getShape());
            collector.backward(y.mul(upstream).sum());
            return floats(y);
        }
    }

    /** The gradient at NaN is not specified: 0 here. */
    static float[] gradientBesideNan(NDArray x) {
        float[] values = floats(x);
        float[] gradient = floats(x.getGradient());
        for (int i = 0; i < values.length; i++) {
            gradient[i] = Float.isNaN(values[i]) ? 0 : gradient[i];
        }
        return gradient;
    }

    static float[] floats(NDArray x) {
        return x.toType(DataType.FLOAT32, false).toFloatArray();
    }
}
