package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithms.dorefa.DoReFaQuantizer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.checkpoint.Checkpoint;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationScheme;

/** What every algorithm on the class path promises. */
class AlgorithmContractTest {

    @TempDir Path folder;

    static List<String> algorithms() {
        return Algorithms.available();
    }

    /** Each algorithm as it is on LeNet, and with other settings on a smaller network. */
    static Stream<Variant> variants() {
        return Stream.concat(Variant.plain().stream(), Variant.set().stream());
    }

    private static boolean isPlain(Variant variant) {
        return variant.settings().isEmpty() && variant.scheme().isEmpty();
    }

    private static Model model(Variant variant, int seed) {
        return isPlain(variant) ? Networks.lenetModel(seed) : Networks.smallModel(seed);
    }

    private static Shape images(Variant variant) {
        return isPlain(variant) ? new Shape(4, 1, 28, 28) : Networks.SMALL;
    }

    private static int classes(Variant variant) {
        return isPlain(variant) ? 10 : 3;
    }

    private static Shape one(Variant variant) {
        return isPlain(variant) ? new Shape(1, 1, 28, 28) : new Shape(1, 1, 6, 6);
    }

    private static float[] image(Variant variant, long seed) {
        return Values.gaussian(seed, (int) one(variant).size());
    }

    /** What is to be done between a backward pass and the step. */
    private static Runnable afterBackward(Quantizer quantizer) {
        return quantizer instanceof DoReFaQuantizer dorefa ? dorefa::proceedBackward : () -> {};
    }

    private static void step(Quantizer quantizer, Trainer trainer, Variant variant, long seed) {
        Networks.step(trainer, images(variant), classes(variant), seed, afterBackward(quantizer));
    }

    @ParameterizedTest
    @MethodSource("variants")
    void planCompressAndExport_leaveTheFloatNetwork(Variant variant) throws Exception {
        try (Model model = model(variant, 1)) {
            Block block = model.getBlock();
            Map<String, float[]> before = Networks.values(block);
            float[] output = Networks.evaluate(model, image(variant, 1), one(variant));
            try (Quantizer quantizer = quantizer(variant, model)) {
                assertThat(quantizer.plan().toString()).contains(variant.algorithm());
                quantizer.compress();
                Networks.evaluate(model, image(variant, 2), one(variant));
                quantizer.exportModel(folder.resolve("net"), folder.resolve("net.json"));
                assertThat(model.getBlock()).isSameAs(block);
                Values.assertSame(Networks.values(block), before);
                assertThat(Networks.evaluate(model, image(variant, 1), one(variant)))
                        .isEqualTo(output);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("variants")
    void training_movesEveryMasterWeight(Variant variant) {
        if (!trains(variant.algorithm())) {
            return;
        }
        try (Model model = model(variant, 2);
                Quantizer quantizer = trainable(variant, model)) {
            Map<String, float[]> before = Networks.values(model.getBlock());
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(images(variant));
                for (int i = 0; i < 3; i++) {
                    step(quantizer, trainer, variant, i);
                }
            }
            quantizer.restore();
            Map<String, float[]> after = Networks.values(model.getBlock());
            before.forEach(
                    (name, values) -> assertThat(after.get(name)).as(name).isNotEqualTo(values));
        }
    }

    @ParameterizedTest
    @MethodSource("variants")
    void calibration_intoAFreshNetwork_evaluatesToTheSameBits(Variant variant) throws Exception {
        float[] image = image(variant, 5);
        Shape one = one(variant);
        try (Model model = model(variant, 3);
                Model fresh = model(variant, 4)) {
            float[] expected;
            Path file = folder.resolve("calibration.json");
            try (Quantizer quantizer = quantizer(variant, model)) {
                quantizer.compress();
                if (trains(variant.algorithm())) {
                    try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                        trainer.initialize(images(variant));
                        step(quantizer, trainer, variant, 7);
                    }
                } else {
                    Networks.evaluate(model, image, one);
                }
                quantizer.calibration();
                expected = Networks.evaluate(model, image, one);
                quantizer.exportModel(folder.resolve("net"), file);
            }
            copy(model.getBlock(), fresh.getBlock());
            try (Quantizer quantizer = quantizer(variant, fresh)) {
                quantizer.compress();
                quantizer.loadCalibration(CalibrationConfig.read(file));
                assertThat(Networks.evaluate(fresh, image, one)).isEqualTo(expected);
            }
        }
    }

    /**
     * NNI loads one algorithm's calibration into another's quantizer and then ignores it; here it
     * is an error.
     */
    @ParameterizedTest
    @MethodSource("algorithms")
    void calibration_ofAnotherAlgorithm_isRefused(String algorithm) {
        String other = algorithm.equals("naive") ? "qat" : "naive";
        try (Model model = Networks.lenetModel(3)) {
            CalibrationConfig calibration;
            try (Quantizer quantizer = quantizer(other, model, entry(other, QuantType.WEIGHT, 8))) {
                quantizer.compress();
                calibration = quantizer.calibration();
            }
            try (Quantizer quantizer = quantizer(algorithm, model)) {
                quantizer.compress();
                assertThatThrownBy(() -> quantizer.loadCalibration(calibration))
                        .isInstanceOf(ConfigException.class)
                        .hasMessageContaining(
                                "\"%s\" made this calibration; expected \"%s\"", other, algorithm);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("variants")
    void loadCheckpoint_intoAFreshNetwork_goesOnTheSame(Variant variant) throws Exception {
        try (Model model = model(variant, 3);
                Model fresh = model(variant, 4);
                Quantizer quantizer = trainable(variant, model);
                Quantizer resumed = trainable(variant, fresh)) {
            quantizer.compress();
            proceed(quantizer, model, variant, 1);
            quantizer.saveCheckpoint(folder.resolve("net"));
            resumed.compress();
            resumed.loadCheckpoint(folder.resolve("net"));
            assertThat(resumed.step()).isEqualTo(quantizer.step());
            proceed(quantizer, model, variant, 2);
            proceed(resumed, fresh, variant, 2);
            assertThat(resumed.calibration()).isEqualTo(quantizer.calibration());
            float[] image = image(variant, 5);
            Shape one = one(variant);
            assertThat(Networks.evaluate(fresh, image, one))
                    .isEqualTo(Networks.evaluate(model, image, one));
        }
    }

    /** A training step, or for algorithms that do not train, an evaluation. */
    private static void proceed(Quantizer quantizer, Model model, Variant variant, int seed) {
        if (!trains(variant.algorithm())) {
            Networks.evaluate(model, image(variant, seed), one(variant));
            return;
        }
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
            trainer.initialize(images(variant));
            step(quantizer, trainer, variant, seed);
        }
    }

    /** Neither what it is given, nor how often, leaves a trace: not in a checkpoint either. */
    @ParameterizedTest
    @MethodSource("variants")
    void evaluation_afterTraining_changesNothing(Variant variant) throws Exception {
        Shape one = one(variant);
        try (Model model = model(variant, 3);
                Quantizer quantizer = trainable(variant, model)) {
            quantizer.compress();
            proceed(quantizer, model, variant, 1);
            proceed(quantizer, model, variant, 2);
            if (!trains(variant.algorithm())) {
                // Until then, evaluation is what ranges are observed in.
                quantizer.calibration();
            }
            String before = checkpoint(quantizer, "before");
            float[] output = Networks.evaluate(model, image(variant, 5), one);
            for (int seed = 6; seed < 9; seed++) {
                float[] wide = image(variant, seed);
                wide[0] = 100;
                Networks.evaluate(model, wide, one);
            }
            assertThat(Networks.evaluate(model, image(variant, 5), one)).isEqualTo(output);
            assertThat(checkpoint(quantizer, "after")).isEqualTo(before);
        }
    }

    /** All there is to know of a run: parameters, quantizers, optimizer and steps, in Base64. */
    private String checkpoint(Quantizer quantizer, String when) throws IOException {
        quantizer.saveCheckpoint(folder.resolve(when).resolve("net"));
        byte[] file = Files.readAllBytes(folder.resolve(when).resolve("net-0000.params"));
        return Base64.getEncoder().encodeToString(file);
    }

    @ParameterizedTest
    @MethodSource("variants")
    void zeroBatchAndBatchOfOne_stayFinite(Variant variant) {
        Shape one = one(variant);
        float[] zeros = new float[(int) one.size()];
        try (Model model = model(variant, 5);
                Quantizer quantizer = quantizer(variant, model)) {
            quantizer.compress();
            if (trains(variant.algorithm())) {
                Runnable rest = afterBackward(quantizer);
                float[] upstream = Values.gaussian(1, classes(variant));
                Networks.train(model, zeros, one, upstream, rest);
                Networks.Pass pass = Networks.train(model, image(variant, 2), one, upstream, rest);
                Values.assertFinite(pass.output());
                Values.assertFinite(pass.inputGradient());
                pass.gradients().values().forEach(Values::assertFinite);
            }
            Values.assertFinite(Networks.evaluate(model, zeros, one));
            quantizer.calibration();
            Values.assertFinite(Networks.evaluate(model, zeros, one));
            Values.assertFinite(Networks.evaluate(model, image(variant, 4), one));
        }
    }

    @ParameterizedTest
    @MethodSource("variants")
    void training_movesEveryLearnedParameter(Variant variant) throws IOException {
        Set<QuantType> learning = learningTypes(variant.algorithm());
        if (learning.isEmpty()) {
            return;
        }
        if (variant.algorithm().equals("pact")) {
            // Its level decays of itself, and has no gradient where nothing reaches it: here the
            // loss alone moves it, at the layer that the images come to.
            Variant low = variant.and("level_decay", 0.0).and("initial_level", .1);
            for (QuantType type : learning) {
                assertMoved(low, Set.of(type), List.of("Conv2d"));
            }
        } else if (variant.scheme().filter(QuantizationScheme::isAffine).isPresent()) {
            // What is clipped moves a zero point, so nothing before may have clipped it.
            for (QuantType type : learning) {
                assertMoved(variant, Set.of(type), layers(variant.algorithm()));
            }
        } else {
            assertMoved(variant, variant.types(), layers(variant.algorithm()));
        }
    }

    private void assertMoved(Variant variant, Set<QuantType> types, List<String> layers)
            throws IOException {
        try (Model model = model(variant, 7);
                Quantizer quantizer = quantizer(variant, model, types, layers)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(images(variant));
                step(quantizer, trainer, variant, 1);
                Map<String, float[]> before = states(quantizer);
                wideStep(quantizer, trainer, variant, 2);
                Map<String, float[]> after = states(quantizer);
                assertThat(before).isNotEmpty();
                assertThat(after.keySet()).isEqualTo(before.keySet());
                before.forEach(
                        (value, numbers) ->
                                assertThat(after.get(value)).as(value).isNotEqualTo(numbers));
            }
        }
    }

    /** A step on pictures that reach far beyond those of {@link #step}. */
    private static void wideStep(Quantizer quantizer, Trainer trainer, Variant variant, long seed) {
        Shape images = images(variant);
        float[] pictures = Values.gaussian(seed, (int) images.size());
        for (int i = 0; i < pictures.length; i++) {
            pictures[i] *= 3;
        }
        try (NDManager batch = trainer.getManager().newSubManager()) {
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList output = trainer.forward(new NDList(batch.create(pictures, images)));
                NDList labels = new NDList(batch.create(new float[] {0, 1, 2, 0}));
                collector.backward(trainer.getLoss().evaluate(labels, output));
            }
            afterBackward(quantizer).run();
            trainer.step();
        }
    }

    private static Set<QuantType> learningTypes(String algorithm) {
        Set<QuantType> types = new TreeSet<>();
        try (NDManager manager = NDManager.newBaseManager()) {
            Algorithms.find(algorithm)
                    .capabilities()
                    .bits()
                    .forEach(
                            (type, range) -> {
                                try (TensorQuantizer quantizer =
                                        Points.quantizer(
                                                algorithm,
                                                Points.point(
                                                        algorithm, type, range.max(), Map.of()),
                                                manager)) {
                                    if (!quantizer.learnedParameters().isEmpty()) {
                                        types.add(type);
                                    }
                                }
                            });
        }
        return types;
    }

    /** What the quantizers keep: where they learn, that is the learned parameters alone. */
    private Map<String, float[]> states(Quantizer quantizer) throws IOException {
        quantizer.saveCheckpoint(folder.resolve("learned"));
        Map<String, float[]> states = new LinkedHashMap<>();
        for (SavedQuantizer saved :
                Checkpoint.read(folder.resolve("learned-0000.params")).quantizers()) {
            saved.state()
                    .arrays()
                    .forEach((name, values) -> states.put(saved + ", " + name, values));
        }
        return states;
    }

    /** NNI takes the weight out of the network's parameters; here it stays what it was. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void compress_keepsTheNetworksOwnParameters(String algorithm) {
        try (Model model = Networks.lenetModel(8);
                Quantizer quantizer = quantizer(algorithm, model)) {
            Map<String, Parameter> before = parameters(model);
            quantizer.compress();
            Map<String, Parameter> after = parameters(model);
            assertThat(after.keySet()).isEqualTo(before.keySet());
            before.forEach((name, p) -> assertThat(after.get(name)).as(name).isSameAs(p));
            assertThat(after.values()).allMatch(Parameter::requiresGradient);
        }
    }

    private static Map<String, Parameter> parameters(Model model) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        model.getBlock().getParameters().forEach(p -> parameters.put(p.getKey(), p.getValue()));
        return parameters;
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void unsupportedWidthTypeAndSetting_areConfigErrors(String algorithm) {
        Capabilities capabilities = Algorithms.find(algorithm).capabilities();
        try (Model model = Networks.lenetModel(6)) {
            for (QuantType type : QuantType.values()) {
                BitRange range = capabilities.bits().get(type);
                if (range == null) {
                    assertRefused(algorithm, model, entry(algorithm, type, 8), type.key());
                    continue;
                }
                for (int bits : new int[] {range.min() - 1, range.max() + 1}) {
                    assertRefused(algorithm, model, entry(algorithm, type, bits), bits + " bits");
                }
            }
            assertRefused(algorithm, model, Map.of("settings", Map.of("no_such", 1)), "no_such");
            for (QuantizationScheme scheme : QuantizationScheme.values()) {
                if (!capabilities.schemes().contains(scheme)) {
                    assertRefused(
                            algorithm, model, Map.of("quant_scheme", scheme.key()), scheme.key());
                }
            }
            if (!capabilities.dtypeSelectable()) {
                assertRefused(algorithm, model, Map.of("quant_dtype", "int"), "quant_dtype");
            }
            if (!capabilities.startStep()) {
                assertRefused(algorithm, model, Map.of("quant_start_step", 9), "quant_start_step");
            }
        }
    }

    /** Not a word, a number or a flag that any setting has: whatever kind of value it takes. */
    private static final List<Object> WRONG = List.of("no such value", -1, 1e30);

    @ParameterizedTest
    @MethodSource("algorithms")
    void wrongValueOfASetting_isAConfigErrorThatNamesIt(String algorithm) {
        try (Model model = Networks.smallModel(6)) {
            for (String key : Algorithms.find(algorithm).capabilities().settings()) {
                for (Object wrong : WRONG) {
                    Variant variant = Variant.of(algorithm, Map.of(key, wrong));
                    assertThatThrownBy(() -> quantizer(variant, model))
                            .as("%s: %s", key, wrong)
                            .isInstanceOf(ConfigException.class)
                            .hasMessageContaining(key + ": ");
                }
            }
        }
    }

    /** An entry that is fine but for some keys is refused by a message that names them. */
    private static void assertRefused(
            String algorithm, Model model, Map<String, Object> wrong, String named) {
        Capabilities capabilities = Algorithms.find(algorithm).capabilities();
        QuantType some = capabilities.bits().keySet().iterator().next();
        Map<String, Object> entry =
                new LinkedHashMap<>(entry(algorithm, some, bits(capabilities, some)));
        entry.putAll(wrong);
        assertThatThrownBy(() -> quantizer(algorithm, model, entry))
                .as("%s with %s", algorithm, wrong)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(named);
    }

    /** NNI's test_compressor_torch.py, test_quantization_config_validation. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void configsThatNniRefuses_areConfigErrors(String algorithm) {
        try (Model model = Networks.lenetModel(9)) {
            for (Map<String, Object> bad :
                    List.<Map<String, Object>>of(
                            Map.of("bad_key", "abc"),
                            Map.of("quant_types", "abc"),
                            Map.of("quant_bits", 34),
                            Map.of("op_types", "default"),
                            Map.of("quant_bits", Map.of("abc", 123)))) {
                assertThatThrownBy(() -> quantizer(algorithm, model, bad))
                        .as("%s with %s", algorithm, bad)
                        .isInstanceOf(ConfigException.class);
            }
        }
    }

    /** A page, a config for an example and a row in the table, as the documentation promises. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void everyAlgorithm_isDocumented(String algorithm) throws Exception {
        Path root = Path.of("..");
        assertThat(root.resolve("docs/algorithms/" + algorithm + ".md")).isRegularFile();
        assertThat(Files.readString(root.resolve("docs/algorithms/README.md")))
                .contains("| `" + algorithm + "` |")
                .contains("(" + algorithm + ".md)");
        try (Stream<Path> configs = Files.list(root.resolve("configs"))) {
            assertThat(configs.map(p -> p.getFileName().toString()))
                    .anyMatch(name -> name.matches("[a-z0-9]+-" + algorithm + "(-.*)?\\.json"));
        }
    }

    @Test
    void documentsTable_hasARowForEachAlgorithm() throws Exception {
        assertThat(DocumentedAlgorithm.table().keySet())
                .containsExactlyInAnyOrderElementsOf(Algorithms.available());
    }

    /** The table of docs/algorithms/README.md says what the code does. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void documentsTable_saysTheCapabilities(String algorithm) throws Exception {
        DocumentedAlgorithm row =
                java.util.Objects.requireNonNull(DocumentedAlgorithm.table().get(algorithm));
        Capabilities capabilities = Algorithms.find(algorithm).capabilities();
        assertThat(row.bits()).isEqualTo(capabilities.bits());
        assertThat(row.allSchemes())
                .as("all four schemes")
                .isEqualTo(capabilities.schemes().equals(Set.of(QuantizationScheme.values())));
        assertThat(row.dtype()).as("quant_dtype").isEqualTo(capabilities.dtypeSelectable());
        assertThat(row.startStep()).as("start step").isEqualTo(capabilities.startStep());
        assertThat(row.folding()).as("BatchNorm folding").isEqualTo(capabilities.folding());
        assertThat(row.trains()).as("trains").isEqualTo(capabilities.needsOptimizer());
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void unsupportedLayerType_isAConfigError(String algorithm) {
        Set<String> types = Algorithms.find(algorithm).layerTypes();
        QuantType some =
                Algorithms.find(algorithm).capabilities().bits().keySet().iterator().next();
        int bits = bits(Algorithms.find(algorithm).capabilities(), some);
        Map<String, Object> entry = new LinkedHashMap<>(entry(algorithm, some, bits));
        entry.put("op_types", List.of("Conv2d"));
        try (Model model = Networks.lenetModel(7)) {
            if (types.isEmpty() || types.contains("Conv2d")) {
                quantizer(algorithm, model, entry).close();
            } else {
                assertThatThrownBy(() -> quantizer(algorithm, model, entry))
                        .isInstanceOf(ConfigException.class)
                        .hasMessageContaining("(Conv2d) is not supported by algorithm")
                        .hasMessageContaining(new TreeSet<>(types).toString());
            }
        }
    }

    private static boolean trains(String algorithm) {
        return Algorithms.find(algorithm).capabilities().needsOptimizer();
    }

    private static Quantizer quantizer(String algorithm, Model model) {
        return quantizer(Variant.of(algorithm, Map.of()), model);
    }

    private static Quantizer quantizer(Variant variant, Model model) {
        return quantizer(variant, model, variant.types(), layers(variant.algorithm()));
    }

    private static Quantizer quantizer(
            Variant variant, Model model, Set<QuantType> types, List<String> layers) {
        Capabilities capabilities = Algorithms.find(variant.algorithm()).capabilities();
        Map<String, Object> bits = new LinkedHashMap<>();
        types.forEach(type -> bits.put(type.key(), bits(capabilities, type)));
        Map<String, Object> entry = new LinkedHashMap<>(variant.on(types).keys());
        entry.put("quant_types", List.copyOf(bits.keySet()));
        entry.put("quant_bits", bits);
        entry.put("op_types", layers);
        return quantizer(variant.algorithm(), model, entry);
    }

    /** LeNet's layers, those of them that the algorithm works on. */
    private static List<String> layers(String algorithm) {
        Set<String> types = Algorithms.find(algorithm).layerTypes();
        return Stream.of("Conv2d", "Linear")
                .filter(type -> types.isEmpty() || types.contains(type))
                .toList();
    }

    /**
     * A binarized network without BatchNorm saturates at once, and no gradient passes its inputs
     * and outputs: there, weights alone.
     */
    private static Quantizer trainable(Variant variant, Model model) {
        boolean saturates =
                Algorithms.find(variant.algorithm()).capabilities().bits().values().stream()
                        .allMatch(range -> range.max() == 1);
        return saturates
                ? quantizer(variant, model, Set.of(QuantType.WEIGHT), layers(variant.algorithm()))
                : quantizer(variant, model);
    }

    private static int bits(Capabilities capabilities, QuantType type) {
        BitRange range = java.util.Objects.requireNonNull(capabilities.bits().get(type));
        return Math.min(Math.max(4, range.min()), range.max());
    }

    private static Map<String, Object> entry(String algorithm, QuantType type, int bits) {
        return Map.of(
                "quant_types",
                List.of(type.key()),
                "quant_bits",
                bits,
                "op_types",
                layers(algorithm));
    }

    private static Quantizer quantizer(String algorithm, Model model, Map<String, Object> entry) {
        @Nullable Optimizer optimizer = trains(algorithm) ? Networks.sgd(0.05f) : null;
        ConfigList config = ConfigList.fromMaps(List.of(entry));
        // only its own class lets quantized gradients go on
        return algorithm.equals("dorefa")
                ? new DoReFaQuantizer(model, config, java.util.Objects.requireNonNull(optimizer))
                : Quantizers.create(algorithm, model, config, optimizer);
    }

    private static void copy(Block from, Block to) {
        Map<String, float[]> values = Networks.values(from);
        to.getParameters()
                .forEach(
                        p ->
                                Networks.set(
                                        p.getValue(),
                                        java.util.Objects.requireNonNull(values.get(p.getKey()))));
    }
}
