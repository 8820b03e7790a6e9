package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.config.ConfigList;
import org.nni4j.fixtures.Networks;

/** Every network the tracer is tested with that has convolutions or linear layers, as integers. */
class EveryNetworkInt8Test {

    private static final int SEED = 20261;

    private static final String LAYERS =
            """
            {"quant_types": ["weight", "input"], "quant_bits": 8, "op_types": ["Conv2d", "Linear"]}
            """;

    private static final String OPERATORS =
            """
            , {"quant_types": ["input"], "quant_bits": 8, "op_types": ["Add", "Concat", "GlobalAvgPool"]}
            """;

    /** Their additions stand in layers that DJL keeps in fields of final classes. */
    private static final Set<String> LAYERS_ONLY = Set.of("TransformerEncoder", "BERT");

    /** These have neither. */
    private static final Set<String> WITHOUT =
            Set.of("LSTM", "LSTM2", "GRU", "GRU2", "RNN", "RNN2", "Embedding");

    @TempDir private Path folder;

    @TestFactory
    Stream<DynamicTest> everyNetwork_isVerified() {
        return Networks.all().stream()
                .filter(network -> !WITHOUT.contains(network.name()))
                .map(network -> dynamicTest(network.name(), () -> exported(network)));
    }

    private void exported(Networks.Network network) throws IOException {
        Engine.getInstance().setRandomSeed(SEED);
        try (Model model = Model.newInstance(network.name(), "PyTorch");
                NDManager scope = model.getNDManager().newSubManager()) {
            model.setBlock(network.initialized(model.getNDManager()));
            NDList samples = network.arrays(scope, 2);
            try (ObserverQuantizer quantizer =
                    new ObserverQuantizer(model, config(network), samples)) {
                quantizer.observe();
                model.getBlock().forward(new ParameterStore(scope, false), samples, false);
                quantizer.compress();
                ExportReport report =
                        OnnxExporter.builder()
                                .optTimed(0)
                                .optUnverified(true)
                                .build()
                                .exportQuantized(
                                        quantizer,
                                        samples,
                                        folder.resolve(network.name() + ".onnx"));
                assertThat(report.isVerified()).as(report.toString()).isTrue();
            }
        }
    }

    private static ConfigList config(Networks.Network network) {
        boolean operators = !LAYERS_ONLY.contains(network.name());
        return ConfigList.fromJson("[" + LAYERS + (operators ? OPERATORS : "") + "]");
    }
}
