package org.nni4j.graph;

import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import java.util.Arrays;

/**
 * Prints how long tracing takes: ResNet-50 at 224×224, and chains of 250 to 1,000 layers. A program
 * of its own, no test.
 */
public final class TraceBenchmark {

    private static final int RUNS = 7;

    private TraceBenchmark() {}

    /**
     * Runs it.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        Shape picture = new Shape(1, 3, 224, 224);
        measure(
                "ResNet-50",
                ResNetV1.builder()
                        .setNumLayers(50)
                        .setImageShape(new Shape(3, 224, 224))
                        .setOutSize(1000)
                        .build(),
                picture);
        for (int layers : new int[] {250, 500, 1000}) {
            measure(layers + " layers", chain(layers), new Shape(1, 4));
        }
    }

    private static Block chain(int layers) {
        SequentialBlock chain = new SequentialBlock();
        for (int i = 0; i < layers / 2; i++) {
            chain.add(Linear.builder().setUnits(4).build()).add(Activation.reluBlock());
        }
        return chain;
    }

    private static void measure(String name, Block block, Shape input) {
        try (NDManager manager = NDManager.newBaseManager()) {
            block.initialize(manager, DataType.FLOAT32, input);
            double[] milliseconds = new double[RUNS];
            int operators = 0;
            for (int i = -1; i < RUNS; i++) {
                long begin = System.nanoTime();
                operators = GraphTracer.trace(block, input).nodes().size();
                if (i >= 0) {
                    milliseconds[i] = (System.nanoTime() - begin) / 1e6;
                }
            }
            Arrays.sort(milliseconds);
            System.out.printf(
                    "%-12s %5d operators, median %6.0f ms of %d%n",
                    name, operators, milliseconds[RUNS / 2], RUNS);
        }
    }
}
