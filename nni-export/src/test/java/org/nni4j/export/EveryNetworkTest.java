package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.fixtures.Networks;

/** Every network the tracer is tested with, as an ONNX model, computes what it computes in DJL. */
class EveryNetworkTest {

    private static final int SEED = 20260;

    /*
     * Relative to the largest magnitude of each output: float sums over thousands of products differ by their order, in
     * networks of up to 75 layers. The largest seen is 1.7e-6.
     */
    private static final double TOLERANCE = 1e-4;

    @TempDir private Path folder;

    @TestFactory
    Stream<DynamicTest> everyNetwork_agreesAtBatchOneAndThree() {
        return Networks.all().stream()
                .map(network -> dynamicTest(network.name(), () -> exported(network)));
    }

    private void exported(Networks.Network network) throws IOException, OrtException {
        Engine.getInstance().setRandomSeed(SEED);
        try (NDManager manager = NDManager.newBaseManager()) {
            Block block = network.initialized(manager);
            randomizeNormalizations(block);
            Path file = folder.resolve(network.name() + ".onnx");

            OnnxExport export =
                    OnnxExporter.builder()
                            .build()
                            .exportFloat(block, file, network.arrays(manager));

            assertThat(export.anyBatch()).isTrue();
            try (OnnxRun run = new OnnxRun(file)) {
                for (long batch : new long[] {1, 3}) {
                    agree(block, run, network.arrays(manager, batch), batch);
                }
            }
            Files.delete(file);
        }
    }

    /* With the statistics a network is initialized with, a BatchNorm does nothing. */
    private static void randomizeNormalizations(Block block) {
        for (Parameter parameter : block.getParameters().values()) {
            NDArray array = parameter.getArray();
            NDManager manager = array.getManager();
            switch (parameter.getType()) {
                case RUNNING_MEAN, BETA ->
                        manager.randomNormal(0f, 0.2f, array.getShape(), array.getDataType())
                                .copyTo(array);
                case RUNNING_VAR ->
                        manager.randomUniform(0.5f, 1.5f, array.getShape(), array.getDataType())
                                .copyTo(array);
                // Below 1: nothing normalizes here, and deep networks would grow without bound.
                case GAMMA ->
                        manager.randomUniform(0.2f, 0.8f, array.getShape(), array.getDataType())
                                .copyTo(array);
                default -> {}
            }
        }
    }

    private static void agree(Block block, OnnxRun run, NDList inputs, long batch)
            throws OrtException {
        List<OnnxRun.Output> actual = run.run(inputs);
        NDList expected =
                block.forward(new ParameterStore(inputs.head().getManager(), false), inputs, false);
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            OnnxRun.Output output = actual.get(i);
            String what = "output " + i + " at batch size " + batch + ", seed " + SEED;
            // BERT squeezes its batch axis away at batch 1 and at no other size.
            if (batch > 1) {
                assertThat(output.shape()).as(what).isEqualTo(expected.get(i).getShape());
            }
            assertThat(Agreement.difference(output.elements(), expected.get(i).toFloatArray()))
                    .as(what)
                    .isLessThan(TOLERANCE);
        }
    }
}
