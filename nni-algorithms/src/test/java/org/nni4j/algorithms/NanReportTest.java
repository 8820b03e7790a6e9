package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;

/** NaN in the data is reported with the layer it first appeared in, and never exported. */
class NanReportTest {

    private static final Shape BATCH = new Shape(2, 1, 6, 6);
    private static final String FIRST = "01Conv2d";
    private static final String LAST = "04Linear";

    @TempDir Path folder;

    /** All that quantize convolutions. */
    static List<String> algorithms() {
        return Algorithms.available().stream()
                .filter(name -> Algorithms.find(name).layerTypes().isEmpty())
                .toList();
    }

    static Stream<String> trained() {
        return algorithms().stream().filter(NanReportTest::trains);
    }

    private static boolean trains(String algorithm) {
        return Algorithms.find(algorithm).capabilities().needsOptimizer();
    }

    private static Quantizer quantizer(String algorithm, Model model, QuantizerOptions options) {
        Capabilities capabilities = Algorithms.find(algorithm).capabilities();
        Map<String, Object> bits = new LinkedHashMap<>();
        capabilities
                .bits()
                .forEach(
                        (type, range) -> {
                            // Signs of small networks' inputs and outputs let no gradient through.
                            if (range.max() > 1 || type == QuantType.WEIGHT) {
                                bits.put(type.key(), range.max());
                            }
                        });
        Map<String, Object> entry =
                Map.of(
                        "quant_types", List.copyOf(bits.keySet()),
                        "quant_bits", bits,
                        "op_types", List.of("Conv2d", "Linear"));
        return Quantizers.create(
                algorithm,
                model,
                ConfigList.fromMaps(List.of(entry)),
                trains(algorithm) ? Networks.sgd(0.01f) : null,
                options);
    }

    private static QuantizerOptions checked() {
        return QuantizerOptions.standard().withChecks(true);
    }

    /** A step on random pictures, of which one pixel may be given. */
    private static void step(Trainer trainer, long seed, @Nullable Float pixel) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            float[] pictures = Networks.random(BATCH, seed);
            if (pixel != null) {
                pictures[7] = pixel;
            }
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList y = trainer.forward(new NDList(batch.create(pictures, BATCH)));
                NDArray labels = batch.create(new float[] {0, 1});
                collector.backward(trainer.getLoss().evaluate(new NDList(labels), y));
            }
            trainer.step();
        }
    }

    @ParameterizedTest
    @MethodSource("trained")
    void train_nanPixelWithChecks_stopsAtTheFirstLayerAndTheStep(String algorithm) {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, model, checked())) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(BATCH);
                step(trainer, 1, null);
                step(trainer, 2, null);
                assertThatThrownBy(() -> step(trainer, 3, Float.NaN))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage(
                                "layer \"01Conv2d\", input 0: 1 of 72 values is NaN at step 3; they"
                                        + " are in the data or come from a layer before");
                step(trainer, 4, null);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void evaluate_nanPixelWithChecks_stopsAtTheFirstLayer(String algorithm) {
        float[] picture = Networks.random(BATCH, 1);
        picture[3] = Float.NEGATIVE_INFINITY;
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, model, checked())) {
            quantizer.compress();
            assertThatThrownBy(() -> Networks.evaluate(model, picture, BATCH))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith(
                            "layer \"01Conv2d\", input 0: 1 of 72 values is infinite");
        }
    }

    @Test
    void train_layerThatMakesNan_isNamedWithItsOutput() {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", model, checked())) {
            quantizer.compress();
            set(model, LAST, "bias", Float.NaN);
            assertThatThrownBy(() -> Networks.evaluate(model, Networks.random(BATCH, 1), BATCH))
                    .hasMessage(
                            "layer \"04Linear\", parameter bias: 3 of 3 values are NaN at step 1;"
                                    + " an update before this step made them");
        }
    }

    /** The weights take the NaN over at once, so the range of the data tells more than they do. */
    @Test
    void train_nanPixelWithoutChecks_isReportedWithinAHundredSteps() {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", model, QuantizerOptions.standard())) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(BATCH);
                for (int i = 1; i <= 110; i++) {
                    step(trainer, i, null);
                }
                step(trainer, 111, Float.NaN);
                for (int i = 112; i < 200; i++) {
                    step(trainer, i, null);
                }
                assertThatThrownBy(() -> step(trainer, 200, null))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageStartingWith("layer \"01Conv2d\" (Conv2d), input 0: its ")
                        .hasMessageContaining(
                                " values is NaN at step 200; all was well at step 100. ");
            }
        }
    }

    /** Every algorithm, whatever it keeps: the weights carry the trace. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void export_afterNan_namesTheLayerAndWritesNothing(String algorithm) throws Exception {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, model, QuantizerOptions.standard())) {
            quantizer.compress();
            Networks.evaluate(model, Networks.random(BATCH, 1), BATCH);
            set(model, LAST, "weight", Float.NaN);
            assertThatThrownBy(
                            () ->
                                    quantizer.exportModel(
                                            folder.resolve("net"), folder.resolve("net.json")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageMatching(
                            "layer \"04Linear\" \\(Linear\\), weight weight: (.*) values are NaN at"
                                    + " step 1.*");
            try (var files = Files.list(folder)) {
                assertThat(files).isEmpty();
            }
            set(model, LAST, "weight", 0.25f);
            assertThatCode(quantizer::calibration).doesNotThrowAnyException();
        }
    }

    @Test
    void saveCheckpoint_afterNan_keepsTheOneBefore() throws Exception {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", model, QuantizerOptions.standard())) {
            quantizer.compress();
            quantizer.saveCheckpoint(folder.resolve("net"));
            float[] saved = Networks.values(model.getBlock()).get(LAST + "_weight");
            set(model, LAST, "weight", Float.NaN);
            assertThatThrownBy(() -> quantizer.saveCheckpoint(folder.resolve("net")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("layer \"04Linear\" (Linear), weight weight: ");
            quantizer.loadCheckpoint(folder.resolve("net"));
            assertThat(Networks.values(model.getBlock()).get(LAST + "_weight")).isEqualTo(saved);
        }
    }

    /** A learned parameter is kept positive, but not by making a number of NaN. */
    @ParameterizedTest
    @CsvSource({"lsq, step_size", "pact, level"})
    void calibration_afterNanPixel_namesTheLearnedParameter(String algorithm, String parameter) {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, model, QuantizerOptions.standard())) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(BATCH);
                step(trainer, 1, null);
                step(trainer, 2, Float.NaN);
                assertThatThrownBy(quantizer::calibration)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageStartingWith(
                                "layer \"01Conv2d\" (Conv2d), input 0: its %s: 1 of 1 values is NaN"
                                        + " at step 3",
                                parameter);
            }
        }
    }

    @Test
    void export_rangeOfInfiniteData_namesTheLayer() {
        float[] picture = Networks.random(BATCH, 1);
        picture[3] = Float.POSITIVE_INFINITY;
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", model, QuantizerOptions.standard())) {
            quantizer.compress();
            Networks.train(model, picture, BATCH, new float[6]);
            assertThatThrownBy(quantizer::calibration)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("layer \"" + FIRST + "\" (Conv2d), input 0: its ");
        }
    }

    private static void set(Model model, String layer, String name, float value) {
        Parameter parameter =
                model.getBlock().getParameters().stream()
                        .filter(p -> p.getKey().equals(layer + "_" + name))
                        .map(ai.djl.util.Pair::getValue)
                        .findFirst()
                        .orElseThrow();
        float[] values = new float[(int) Objects.requireNonNull(parameter.getArray()).size()];
        java.util.Arrays.fill(values, value);
        Networks.set(parameter, values);
    }
}
