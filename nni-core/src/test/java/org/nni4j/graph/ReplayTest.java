package org.nni4j.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.nni4j.fixtures.Networks;

/**
 * A graph says all that is needed to compute the network again. Most networks give the same bits;
 * PyTorch takes another kernel for recurrent cells and some products whose weights require a
 * gradient, which the replay's copies do not: hence a tolerance of float rounding.
 */
class ReplayTest {

    @TestFactory
    Stream<DynamicTest> replay_givesTheSameOutputs() {
        return Stream.of(
                        "LeNet",
                        "MobileNetV2",
                        "ResNet18",
                        "SqueezeNet",
                        "SSD",
                        "LSTM",
                        "LSTM2",
                        "GRU2",
                        "RNN",
                        "RNN2",
                        "TransformerEncoder",
                        "Norms",
                        "Embedding",
                        "BERT")
                .map(Networks::named)
                .map(network -> dynamicTest(network.name(), () -> replay(network)));
    }

    private static void replay(Networks.Network network) {
        try (NDManager manager = NDManager.newBaseManager()) {
            Block block = network.initialized(manager);
            NDList inputs = network.arrays(manager);
            Graph graph = GraphTracer.trace(block, inputs);

            NDList replayed = GraphReplay.run(graph, block, inputs, manager);
            NDList expected = block.forward(new ParameterStore(manager, false), inputs, false);

            assertThat(replayed).hasSameSizeAs(expected);
            for (int i = 0; i < expected.size(); i++) {
                NDArray array = expected.get(i);
                assertThat(replayed.get(i).allClose(array, 1e-5, 1e-6, false))
                        .as("output " + i)
                        .isTrue();
            }
        }
    }
}
