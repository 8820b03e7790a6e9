package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.optimizer.Optimizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;

/** Networks of other floating types than float32, with every algorithm on the class path. */
class DataTypesTest {

    private static final Shape SHAPE = new Shape(2, 3, 4);

    @TempDir Path folder;

    private static final List<DataType> TYPES = List.of(DataType.FLOAT64, DataType.FLOAT16);

    /** All quantizers, in both types. */
    static Stream<Arguments> points() {
        return TensorQuantizerContractTest.points()
                .flatMap(point -> TYPES.stream().map(type -> Arguments.of(point, type)));
    }

    @ParameterizedTest
    @MethodSource("points")
    void quantize_anyFloatingType_keepsItForwardAndBackward(
            TensorQuantizerContractTest.Arguments point, DataType type) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = point.quantizer(manager)) {
            if (trains(point.algorithm())) {
                for (int pass = 0; pass < 2; pass++) {
                    train(quantizer, type, manager);
                }
            }
            NDArray x = tensor(manager, type);
            assertOf(quantizer.quantize(x, Points.context(manager, false)), type);
            quantizer.describe(x);
            quantizer.calibration();
            assertOf(quantizer.quantize(x, Points.context(manager, false)), type);
        }
    }

    /** Random tensors, no value of which lies so near two levels that the last digits decide. */
    @ParameterizedTest
    @MethodSource("org.nni4j.algorithms.TensorQuantizerContractTest#points")
    void quantize_float64_givesTheNumbersOfFloat32(TensorQuantizerContractTest.Arguments point) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer narrow = point.quantizer(manager);
                TensorQuantizer wide = point.quantizer(manager)) {
            float[] expected = numbers(point, narrow, DataType.FLOAT32, manager);
            float[] actual = numbers(point, wide, DataType.FLOAT64, manager);
            // a few roundings of float32, relative to the largest magnitude, which is near 3
            assertThat(actual).containsExactly(expected, within(2e-6f));
            assertSameScales(wide, narrow);
        }
    }

    private static float[] numbers(
            TensorQuantizerContractTest.Arguments point,
            TensorQuantizer quantizer,
            DataType type,
            NDManager manager) {
        if (trains(point.algorithm())) {
            train(quantizer, type, manager);
        }
        NDArray x = tensor(manager, type);
        quantizer.quantize(x, Points.context(manager, false));
        quantizer.describe(x);
        quantizer.calibration();
        return quantizer
                .quantize(x, Points.context(manager, false))
                .toType(DataType.FLOAT32, false)
                .toFloatArray();
    }

    private static void assertSameScales(TensorQuantizer actual, TensorQuantizer expected) {
        assertThat(actual.calibration().isPresent()).isEqualTo(expected.calibration().isPresent());
        expected.calibration()
                .ifPresent(
                        calibration ->
                                assertThat(actual.calibration().orElseThrow().parameters().scale())
                                        .containsExactly(
                                                calibration.parameters().scale(), within(1e-6f)));
    }

    private static boolean trains(String algorithm) {
        return Algorithms.find(algorithm).capabilities().needsOptimizer();
    }

    private static void train(TensorQuantizer quantizer, DataType type, NDManager manager) {
        NDArray x = tensor(manager, type);
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = quantizer.quantize(x, Points.context(manager, true));
            assertOf(y, type);
            collector.backward(y.sum());
        }
        assertOf(x.getGradient(), type);
        for (Parameter learned : quantizer.learnedParameters()) {
            Values.assertFinite(learned.getArray().getGradient().toFloatArray());
        }
    }

    private static NDArray tensor(NDManager manager, DataType type) {
        return manager.create(Values.gaussian(1, 24), SHAPE).toType(type, true);
    }

    private static void assertOf(NDArray array, DataType type) {
        assertThat(array.getShape()).isEqualTo(SHAPE);
        assertThat(array.getDataType()).isEqualTo(type);
        Values.assertFinite(array.toType(DataType.FLOAT32, false).toFloatArray());
    }

    /** All algorithms, by both types; those of 1 bit too where an algorithm has more. */
    static Stream<Arguments> networks() {
        List<Arguments> networks = new ArrayList<>();
        for (String algorithm : Algorithms.available()) {
            for (DataType type : TYPES) {
                networks.add(Arguments.of(algorithm, false, type));
                networks.add(Arguments.of(algorithm, true, type));
            }
        }
        return networks.stream();
    }

    @ParameterizedTest
    @MethodSource("networks")
    void network_ofAnyFloatingType_computesAndIsExported(
            String algorithm, boolean narrow, DataType type) throws Exception {
        Capabilities capabilities = Algorithms.find(algorithm).capabilities();
        try (Model model = Model.newInstance("typed");
                Model loaded = Model.newInstance("typed")) {
            model.setDataType(type);
            Block block = Networks.small();
            block.initialize(model.getNDManager(), type, Networks.SMALL);
            model.setBlock(block);
            try (Quantizer quantizer = quantizer(algorithm, narrow, model)) {
                quantizer.compress();
                if (capabilities.needsOptimizer()) {
                    step(model, quantizer.optimizer(), type);
                    step(model, quantizer.optimizer(), type);
                }
                evaluate(model, type);
                assertThat(quantizer.calibration().layers()).isNotEmpty();
                evaluate(model, type);
                assertThatCode(
                                () ->
                                        quantizer.exportModel(
                                                folder.resolve("net"), folder.resolve("net.json")))
                        .doesNotThrowAnyException();
            }
            loaded.setDataType(type);
            loaded.setBlock(Networks.small());
            loaded.load(folder, "net");
            evaluate(loaded, type);
        }
    }

    private static List<String> layerTypes(String algorithm) {
        // Those that name their layers quantize linear ones.
        return Algorithms.find(algorithm).layerTypes().isEmpty()
                ? List.of("Conv2d", "Linear")
                : List.of("Linear");
    }

    private static Quantizer quantizer(String algorithm, boolean narrow, Model model) {
        Capabilities capabilities = Algorithms.find(algorithm).capabilities();
        Map<String, Object> bits = new LinkedHashMap<>();
        for (QuantType type : capabilities.bits().keySet()) {
            var range = java.util.Objects.requireNonNull(capabilities.bits().get(type));
            bits.put(type.key(), narrow ? range.min() : range.max());
        }
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.copyOf(bits.keySet()),
                        "quant_bits", bits,
                        "op_types", layerTypes(algorithm));
        return Quantizers.create(
                algorithm,
                model,
                ConfigList.fromMaps(List.of(entry)),
                capabilities.needsOptimizer() ? Networks.sgd(.01f) : null,
                QuantizerOptions.standard());
    }

    /** As DJL's trainer has it, whose own check of gradients reads float32 and float16 alone. */
    private static void step(Model model, Optimizer optimizer, DataType type) {
        try (NDManager batch = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(batch, false);
            NDList x = new NDList(pictures(batch, type));
            List<Parameter> parameters = model.getBlock().getParameters().values();
            parameters.forEach(p -> p.getArray().setRequiresGradient(true));
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray y = model.getBlock().forward(store, x, true).singletonOrThrow();
                assertThat(y.getDataType()).isEqualTo(type);
                collector.backward(y.square().sum());
            }
            for (Parameter parameter : parameters) {
                NDArray gradient = parameter.getArray().getGradient();
                assertThat(gradient.getDataType()).isEqualTo(parameter.getArray().getDataType());
                optimizer.update(parameter.getId(), parameter.getArray(), gradient);
            }
        }
    }

    private static void evaluate(Model model, DataType type) {
        try (NDManager batch = model.getNDManager().newSubManager()) {
            NDArray y =
                    model.getBlock()
                            .forward(
                                    new ParameterStore(batch, false),
                                    new NDList(pictures(batch, type)),
                                    false)
                            .singletonOrThrow();
            assertThat(y.getDataType()).isEqualTo(type);
            Values.assertFinite(y.toType(DataType.FLOAT32, false).toFloatArray());
        }
    }

    private static NDArray pictures(NDManager manager, DataType type) {
        return manager.create(Networks.random(Networks.SMALL, 1), Networks.SMALL)
                .toType(type, true);
    }
}
