package org.nni4j.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.nni4j.quantization.QuantizationKernels;

/**
 * A process that trains a few steps and prints its resident memory: how much the first fused kernel
 * added, what there was before the first step, and the most there was.
 *
 * <p>The first fused kernel brings TorchScript's compiler into memory, once for the process. It is
 * told apart, since it has nothing to do with the size of a step.
 */
final class MemoryProbe {

    /** Where Linux tells a process about itself. */
    static final Path STATUS = Path.of("/proc/self/status");

    private MemoryProbe() {}

    /**
     * Prints three numbers of KiB.
     *
     * @param args network, variant, steps, seed
     */
    public static void main(String[] args) throws IOException {
        Machine.prepareMemory();
        Variant variant = Variant.valueOf(args[1]);
        long once = variant == Variant.FLOAT ? 0 : firstKernel();
        try (TrainingRun run =
                new TrainingRun(Task.valueOf(args[0]), variant, Integer.parseInt(args[3]))) {
            long before = kibibytes("VmRSS:");
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                run.step();
            }
            System.out.println(once + " " + before + " " + kibibytes("VmHWM:"));
        }
    }

    private static long firstKernel() throws IOException {
        try (NDManager manager = NDManager.newBaseManager("PyTorch");
                NDArray x = manager.ones(new Shape(1))) {
            QuantizationKernels kernels = QuantizationKernels.create("auto", manager);
            long before = kibibytes("VmRSS:");
            try (NDArray y = kernels.binarize(x, true)) {
                y.toFloatArray();
            }
            return kibibytes("VmRSS:") - before;
        }
    }

    private static long kibibytes(String field) throws IOException {
        try (Stream<String> lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith(field))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
