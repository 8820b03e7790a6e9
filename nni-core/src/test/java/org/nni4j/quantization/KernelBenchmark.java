package org.nni4j.quantization;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Times forward and backward of the kernels against a plain copy, all interleaved in one process:
 * {@code OMP_NUM_THREADS=1 java org.nni4j.quantization.KernelBenchmark [repetitions [filter]]}.
 */
final class KernelBenchmark {

    private interface Kernel {
        NDArray apply(NDArray x);
    }

    private KernelBenchmark() {}

    public static void main(String[] args) {
        int repetitions = args.length == 0 ? 30 : Integer.parseInt(args[0]);
        for (long[] shape : new long[][] {{64, 64, 32, 32}, {64, 16, 32, 32}, {64, 64, 3, 3}}) {
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray x = manager.randomNormal(new Shape(shape));
                x.setRequiresGradient(true);
                Map<String, Kernel> kernels = kernels(manager);
                String filter = args.length > 1 ? args[1] : "";
                kernels.keySet().removeIf(k -> !k.equals("copy") && !k.contains(filter));
                report(shape, x, kernels, repetitions);
            }
        }
    }

    private static Map<String, Kernel> kernels(NDManager manager) {
        NDArray s = manager.create(new float[] {0.03f});
        NDArray z = manager.create(new int[] {0});
        NDArray min = manager.create(new float[] {-4});
        NDArray max = manager.create(new float[] {4});
        NDArray step = manager.create(new float[] {0.5f});
        step.setRequiresGradient(true);
        QuantizedType int8 = new QuantizedType(8, QuantizationDtype.INT);
        QuantizedType uint8 = new QuantizedType(8, QuantizationDtype.UINT);
        QuantizationScheme channels = QuantizationScheme.PER_CHANNEL_SYMMETRIC;
        QuantizationScheme affine = QuantizationScheme.PER_TENSOR_AFFINE;
        Map<String, Kernel> all = new LinkedHashMap<>();
        all.put("copy", x -> x.mul(1f));
        for (QuantizationKernels k :
                new QuantizationKernels[] {new NdArrayKernels(), new FusedKernels()}) {
            String name = k.name() + " ";
            all.put(name + "fakeQuantize", x -> k.fakeQuantize(x, s, z, -127, 127, -1));
            all.put(
                    name + "observe (activation)",
                    x -> k.observe(x, min, max, .99, uint8, affine, -1).value());
            all.put(name + "observe (weight)", x -> k.observe(x, int8, channels, 0).value());
            all.put(name + "learnedStep", x -> k.learnedStep(x, step, -8, 7, -1, .01));
            all.put(name + "binarize", x -> k.binarize(x, true));
            all.put(name + "unitQuantize", x -> k.unitQuantize(x, 2));
            all.put(name + "clippedQuantize", x -> k.clippedQuantize(x, step, 4));
            all.put(name + "tanhQuantize", x -> k.tanhQuantize(x, 2, true));
            all.put(name + "range, no gradient", x -> k.range(x, -1).get(0));
            all.put(
                    name + "quantizeDequantize, no gradient",
                    x -> k.quantizeDequantize(x, s, z, -127, 127, -1));
        }
        return all;
    }

    private static void report(
            long[] shape, NDArray x, Map<String, Kernel> kernels, int repetitions) {
        Map<String, long[]> times = new LinkedHashMap<>();
        for (int i = -5; i < repetitions; i++) {
            for (Map.Entry<String, Kernel> entry : kernels.entrySet()) {
                long time = time(x, entry.getValue(), !entry.getKey().endsWith("no gradient"));
                if (i >= 0) {
                    times.computeIfAbsent(entry.getKey(), name -> new long[repetitions])[i] = time;
                }
            }
        }
        System.out.println(Arrays.toString(shape));
        double copy = Arrays.stream(times.get("copy")).sorted().toArray()[repetitions / 2];
        times.forEach(
                (name, t) -> {
                    long[] sorted = Arrays.stream(t).sorted().toArray();
                    System.out.printf(
                            "%-42s median %9.3f ms  least %9.3f ms  %5.2f copies%n",
                            name,
                            sorted[repetitions / 2] / 1e6,
                            sorted[0] / 1e6,
                            sorted[repetitions / 2] / copy);
                });
    }

    /** The thread's own time: with OMP_NUM_THREADS=1, what else the machine does hardly matters. */
    private static long now() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static long time(NDArray x, Kernel kernel, boolean backward) {
        long start = now();
        if (!backward) {
            kernel.apply(x).close();
            return now() - start;
        }
        try (GradientCollector collector = Engine.getInstance().newGradientCollector();
                NDArray y = kernel.apply(x);
                NDArray sum = y.sum()) {
            collector.backward(sum);
        }
        long time = now() - start;
        x.getGradient().close();
        x.setRequiresGradient(false);
        x.setRequiresGradient(true);
        return time;
    }
}
