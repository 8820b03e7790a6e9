package org.nni4j.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.concurrent.TimeUnit;
import org.nni4j.quantization.QuantizationKernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Times forward and backward of each kernel on 16 MiB of float32. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// JMH calls setUp before anything else.
@SuppressWarnings("NullAway.Init")
public class KernelBenchmark {

    private static final Shape SHAPE = new Shape(64, 64, 32, 32);
    private static final int SEED = 1;

    /** What is done. */
    @Param public KernelOperation operation;

    /** By what it is done. */
    @Param({"fused", "ndarray"})
    public String kernels;

    private NDManager manager;
    private QuantizationKernels implementation;
    private KernelInputs inputs;
    private NDArray x;
    private NDArray gradient;

    /** Starts the engine and draws the tensor. */
    @Setup
    public void setUp() {
        Machine.prepareMemory();
        manager = NDManager.newBaseManager("PyTorch");
        manager.getEngine().setRandomSeed(SEED);
        implementation = QuantizationKernels.create(kernels, manager);
        inputs = KernelInputs.create(manager, (int) SHAPE.get(1));
        x = manager.randomNormal(SHAPE);
        gradient = manager.randomNormal(SHAPE);
        JniUtils.setGradMode(true);
    }

    /** Frees the arrays. */
    @TearDown
    public void tearDown() {
        manager.close();
    }

    /**
     * Computes the result, and the gradient by one that is given in full: that of a sum would be a
     * single number that is read from a register.
     */
    @Benchmark
    public void forwardBackward() {
        try (NDManager step = manager.newSubManager()) {
            // A new leaf on the same memory, whose gradient is written and not added to.
            NDArray leaf = x.stopGradient();
            leaf.attach(step);
            leaf.setRequiresGradient(true);
            NDArray y = operation.apply(implementation, inputs, leaf);
            JniUtils.backward((PtNDArray) y, (PtNDArray) gradient, false, false);
        }
    }
}
