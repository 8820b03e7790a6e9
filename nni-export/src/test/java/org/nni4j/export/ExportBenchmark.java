package org.nni4j.export;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.nni4j.fixtures.Networks;

/**
 * Prints how long a float export takes, traces and file included: chains of 10 to 1,000 layers, and
 * ResNet-50. A program of its own, no test.
 */
public final class ExportBenchmark {

    private static final int RUNS = 7;

    private ExportBenchmark() {}

    /**
     * Runs it.
     *
     * @param arguments none
     * @throws IOException if no file can be written
     */
    public static void main(String[] arguments) throws IOException {
        Path file = Files.createTempFile("benchmark", ".onnx");
        try (NDManager manager = NDManager.newBaseManager()) {
            for (int layers : new int[] {10, 100, 250, 500, 1000}) {
                Block chain = chain(layers);
                Shape shape = new Shape(2, 4);
                chain.initialize(manager, DataType.FLOAT32, shape);
                measure(layers + " layers", chain, new NDList(manager.ones(shape)), file);
            }
            Networks.Network network = Networks.named("ResNet50");
            measure(
                    "ResNet-50, 32×32",
                    network.initialized(manager),
                    network.arrays(manager),
                    file);
        } finally {
            Files.delete(file);
        }
    }

    private static Block chain(int layers) {
        SequentialBlock chain = new SequentialBlock();
        for (int i = 0; i < layers / 2; i++) {
            chain.add(Linear.builder().setUnits(4).build()).add(Activation.reluBlock());
        }
        return chain;
    }

    private static void measure(String name, Block block, NDList inputs, Path file)
            throws IOException {
        double[] milliseconds = new double[RUNS];
        long bytes = 0;
        for (int i = -1; i < RUNS; i++) {
            long begin = System.nanoTime();
            bytes = OnnxExporter.builder().build().exportFloat(block, file, inputs).bytes();
            if (i >= 0) {
                milliseconds[i] = (System.nanoTime() - begin) / 1e6;
            }
        }
        Arrays.sort(milliseconds);
        System.out.printf(
                "%-18s median %6.0f ms of %d, %d bytes%n",
                name, milliseconds[RUNS / 2], RUNS, bytes);
    }
}
