package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.config.ConfigList;

/** The work of an export, counted in bytes that its thread allocates: a clock would be no test. */
class QuantizedExportWorkTest {

    private static final int LAYERS = 40;

    private static final String INT8 =
            """
            [{"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Linear"]}]
            """;

    @TempDir private Path folder;

    /**
     * Four times the layers are four times the work, 3.9 times as seen. When three look-ups for
     * each layer went over all layers, it was 6.1 times.
     */
    @Test
    void export_fourTimesTheLayers_takesAtMostFiveTimesTheMemory() throws IOException {
        // What classes and the runtime allocate when they are first used does not count.
        allocated(LAYERS);
        long few = allocated(LAYERS);
        long many = allocated(4 * LAYERS);

        assertThat((double) many / few).isLessThan(5);
    }

    private long allocated(int layers) throws IOException {
        try (Model model = Model.newInstance("chain", "PyTorch");
                NDManager scope = model.getNDManager().newSubManager()) {
            SequentialBlock chain = new SequentialBlock();
            for (int i = 0; i < layers; i++) {
                chain.add(Linear.builder().setUnits(4).build()).add(Activation.reluBlock());
            }
            chain.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(2, 4));
            model.setBlock(chain);
            NDList samples = new NDList(scope.randomNormal(new Shape(2, 4)));
            try (ObserverQuantizer quantizer =
                    new ObserverQuantizer(model, ConfigList.fromJson(INT8), samples)) {
                quantizer.observe();
                chain.forward(new ParameterStore(scope, false), samples, false);
                quantizer.compress();
                ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
                long before = threads.getCurrentThreadAllocatedBytes();
                OnnxExporter.builder()
                        .optTimed(0)
                        .optUnverified(true)
                        .build()
                        .exportQuantized(quantizer, samples, folder.resolve("chain.onnx"));
                return threads.getCurrentThreadAllocatedBytes() - before;
            }
        }
    }
}
