package org.nni4j.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.config.ConfigList;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.export.verification.Verification;
import org.nni4j.fixtures.Networks;

/** Every network the tracer is tested with that has convolutions or linear layers, as integers. */
class EveryNetworkInt8Test {

    private static final int SEED = 20261;

    private static final int CALIBRATED = 4;
    private static final int SAMPLES = 6;

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

    /**
     * What ONNX Runtime executes.
     *
     * @param integers operators on integers
     * @param floats operators on floats
     * @param joins how many of the former are additions and concatenations
     */
    private record Share(int integers, int floats, int joins) {
        static Share of(OperatorCensus census) {
            int joins =
                    census.counts().getOrDefault("QLinearAdd", 0)
                            + census.counts().getOrDefault("QLinearConcat", 0);
            return new Share(census.integer(), census.floating(), joins);
        }
    }

    /*
     * As counted once. What is in float is there for want of quantization, as the reports say: only convolutions, linear
     * layers, additions, concatenations and global pools are asked to be quantized, so that a convolution whose result goes
     * into a sigmoid (LeNet), a LeakyRelu (YOLOv3) or another operator computes in float, and the operator too; the rest of
     * TabNet, of the encoders and of Norms likewise. The last operator of NiN, SqueezeNet, MobileNetV2 and SSD gives the
     * network's output. In GoogLeNet readers of one tensor behind and before a pool see it with different scales.
     */
    private static final Map<String, Share> SHARES =
            Map.ofEntries(
                    Map.entry("Mlp", new Share(2, 0, 0)),
                    Map.entry("LeNet", new Share(3, 6, 0)),
                    Map.entry("AlexNet", new Share(11, 0, 0)),
                    Map.entry("VGG", new Share(16, 0, 0)),
                    Map.entry("NiN", new Share(15, 1, 0)),
                    Map.entry("GoogLeNet", new Share(72, 3, 3)),
                    Map.entry("SqueezeNet", new Share(37, 1, 8)),
                    Map.entry("MobileNetV1", new Share(29, 0, 0)),
                    Map.entry("MobileNetV2", new Share(64, 1, 10)),
                    Map.entry("ResNet18", new Share(39, 0, 8)),
                    Map.entry("ResNet50", new Share(71, 0, 16)),
                    Map.entry("YOLOV3", new Share(25, 77, 25)),
                    Map.entry("SSD", new Share(25, 1, 0)),
                    Map.entry("TabNet", new Share(31, 152, 5)),
                    Map.entry("TransformerEncoder", new Share(6, 13, 0)),
                    Map.entry("Norms", new Share(1, 8, 0)),
                    Map.entry("BERT", new Share(26, 66, 0)));

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
            NDList calibration = network.arrays(scope, CALIBRATED);
            NDList samples = drawn(network, scope);
            try (ObserverQuantizer quantizer =
                    new ObserverQuantizer(model, config(network), calibration)) {
                quantizer.observe();
                model.getBlock().forward(new ParameterStore(scope, false), calibration, false);
                quantizer.compress();
                ExportReport report =
                        OnnxExporter.builder()
                                .optTimed(0)
                                .optThreads(1)
                                .optLimits(limits(network.name()))
                                .optUnverified(true)
                                .build()
                                .exportQuantized(
                                        quantizer,
                                        samples,
                                        folder.resolve(network.name() + ".onnx"));
                assertThat(report.isVerified()).as(report.toString()).isTrue();
                OperatorCensus census = report.census();
                assertThat(Share.of(census))
                        .as(report.toString())
                        .isEqualTo(SHARES.get(network.name()));
                assertThat(report.floatLayers())
                        .as("all float operators are explained")
                        .noneMatch(f -> f.reason().equals("the runtime did not take it"));
            }
        }
    }

    /* Other inputs than those of the calibration, within the same range: some integers saturate. */
    private static NDList drawn(Networks.Network network, NDManager scope) {
        NDList inputs = new NDList();
        for (NDArray like : network.arrays(scope, SAMPLES)) {
            NDArray x = scope.randomUniform(0f, 1f, like.getShape());
            inputs.add(
                    like.getDataType().isFloating()
                            ? x
                            : x.round().toType(like.getDataType(), false));
        }
        return inputs;
    }

    /*
     * Unoptimized, every integer of BERT's samples is the trained network's. A default session fuses operators, some
     * integers fall to the other side, and the sequence is up to 3 steps apart. The pooled output is the tanh of values that
     * reach to about 40 in the drawn network: a step of these is up to 40 steps of their tanh, and one of them is 55 apart.
     */
    private static Verification.Limits limits(String network) {
        Verification.Limits standard = Verification.Limits.STANDARD;
        return network.equals("BERT")
                ? new Verification.Limits(standard.differing(), 64, standard.agreement())
                : standard;
    }

    private static ConfigList config(Networks.Network network) {
        boolean operators = !LAYERS_ONLY.contains(network.name());
        return ConfigList.fromJson("[" + LAYERS + (operators ? OPERATORS : "") + "]");
    }
}
