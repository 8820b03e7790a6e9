package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.observer.ObserverQuantizer;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.checkpoint.Checkpoint;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.checkpoint.CheckpointException;
import org.nni4j.compression.Inspection;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.compression.Quantizers;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

/** A quantizer that took over another state is as that state was; one that did not is as before. */
class GoneBackTest {

    private static final Map<String, Object> ENTRY =
            Map.of(
                    "quant_types", List.of("weight", "input"),
                    "quant_bits", 8,
                    "op_types", List.of("Conv2d", "Linear"));

    @TempDir Path folder;

    private static Quantizer quantizer(String algorithm, Model model) {
        Map<String, Object> entry =
                algorithm.equals("qat") || algorithm.equals("observer")
                        ? ENTRY
                        : Map.of(
                                "quant_types", List.of("weight", "input"),
                                "quant_bits", 4,
                                "op_types", List.of("Conv2d", "Linear"));
        return Quantizers.create(
                algorithm,
                model,
                ConfigList.fromMaps(List.of(entry)),
                Networks.sgd(.01f),
                QuantizerOptions.standard());
    }

    private static void train(Model model, Quantizer quantizer, int first, int last) {
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
            trainer.initialize(Networks.SMALL);
            for (int step = first; step < last; step++) {
                Networks.step(trainer, Networks.SMALL, 3, step);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qat", "lsq", "pact", "dorefa"})
    void loadCheckpoint_ofBeforeAnyData_hasSeenNone(String algorithm) throws IOException {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, model)) {
            quantizer.compress();
            quantizer.saveCheckpoint(folder.resolve("fresh"));
            byte[] fresh = Files.readAllBytes(folder.resolve("fresh-0000.params"));
            train(model, quantizer, 0, 2);
            assertThat(unobserved(quantizer)).isEmpty();
            quantizer.loadCheckpoint(folder.resolve("fresh"));
            quantizer.saveCheckpoint(folder.resolve("fresh"));
            assertThat(Files.readAllBytes(folder.resolve("fresh-0000.params"))).isEqualTo(fresh);
            assertThat(unobserved(quantizer)).containsExactly("01Conv2d", "04Linear");
        }
    }

    private static List<String> unobserved(Quantizer quantizer) {
        return quantizer.calibration().layers().stream()
                .filter(layer -> layer.unobserved().contains(QuantType.INPUT))
                .map(CalibratedLayer::path)
                .toList();
    }

    @Test
    void loadCheckpoint_ofHalfTheObservation_goesOnFromThere() throws IOException {
        try (Model model = Networks.smallModel(1);
                ObserverQuantizer quantizer = new ObserverQuantizer(model, List.of(ENTRY))) {
            quantizer.observe();
            quantizer.saveCheckpoint(folder.resolve("none/net"));
            observe(model, 1);
            quantizer.saveCheckpoint(folder.resolve("half/net"));
            observe(model, 2);
            quantizer.saveCheckpoint(folder.resolve("all/net"));
            for (String from : List.of("none", "half")) {
                quantizer.loadCheckpoint(folder.resolve(from).resolve("net"));
                if (from.equals("none")) {
                    observe(model, 1);
                }
                observe(model, 2);
                quantizer.saveCheckpoint(folder.resolve("again/net"));
                assertThat(folder.resolve("again/net-0000.params"))
                        .as("from " + from)
                        .hasSameBinaryContentAs(folder.resolve("all/net-0000.params"));
            }
        }
    }

    private static void observe(Model model, long seed) {
        Networks.evaluate(model, Networks.random(Networks.SMALL, seed), Networks.SMALL);
    }

    /** The first layer's state is taken before the second's is refused. */
    @ParameterizedTest
    @ValueSource(strings = {"qat", "lsq"})
    void loadCheckpoint_ofAStateThatIsNone_saysSoAndChangesNothing(String algorithm)
            throws IOException {
        try (Model trained = Networks.smallModel(1);
                Quantizer quantizer = quantizer(algorithm, trained)) {
            quantizer.compress();
            train(trained, quantizer, 0, 2);
            quantizer.saveCheckpoint(folder.resolve("net"));
        }
        rewrite(
                state -> {
                    Map<String, float[]> arrays = state.arrays();
                    arrays.keySet().retainAll(List.of("min", "step_size"));
                    return new QuantizerState(arrays, Map.of());
                });
        try (Model model = Networks.smallModel(2);
                Quantizer quantizer = quantizer(algorithm, model)) {
            quantizer.compress();
            quantizer.saveCheckpoint(folder.resolve("before"));
            byte[] before = Files.readAllBytes(folder.resolve("before-0000.params"));
            assertThatThrownBy(() -> quantizer.loadCheckpoint(folder.resolve("net")))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("layer \"04Linear\", input 0: ")
                    .hasMessageContaining("quantizer state");
            quantizer.saveCheckpoint(folder.resolve("before"));
            assertThat(Files.readAllBytes(folder.resolve("before-0000.params"))).isEqualTo(before);
        }
    }

    /** Changes the state of the last layer's input. */
    private void rewrite(UnaryOperator<QuantizerState> change) throws IOException {
        Path file = folder.resolve("net-0000.params");
        Checkpoint c = Checkpoint.read(file);
        List<SavedQuantizer> quantizers = new ArrayList<>();
        for (SavedQuantizer q : c.quantizers()) {
            boolean last = q.layer().equals("04Linear") && q.type() == QuantType.INPUT;
            quantizers.add(
                    last
                            ? new SavedQuantizer(
                                    q.layer(), q.type(), q.tensor(), change.apply(q.state()))
                            : q);
        }
        Checkpoint changed =
                new Checkpoint(
                        c.algorithm(),
                        c.step(),
                        c.seed(),
                        c.config(),
                        c.layers(),
                        c.plan(),
                        c.properties(),
                        c.parameters(),
                        quantizers,
                        c.optimizer());
        Files.write(file, changed.tail(new byte[0]));
    }

    @Test
    void loadCalibration_thatTheSecondLayerCannotTake_saysSoAndChangesNothing() {
        CalibrationConfig other;
        try (Model trained = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", trained)) {
            quantizer.compress();
            train(trained, quantizer, 0, 3);
            other = withoutRange(quantizer.calibration(), "04Linear");
        }
        try (Model model = Networks.smallModel(2);
                Quantizer quantizer = quantizer("qat", model)) {
            quantizer.compress();
            train(model, quantizer, 5, 6);
            String before = quantizer.calibration().toJson();
            assertThatThrownBy(() -> quantizer.loadCalibration(other))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("calibration: layers[\"04Linear\"].input[\"0\"]")
                    .hasMessageContaining("the calibration tracks no range");
            assertThat(quantizer.calibration().toJson()).isEqualTo(before);
        }
    }

    private static CalibrationConfig withoutRange(CalibrationConfig calibration, String path) {
        List<CalibratedLayer> layers = new ArrayList<>();
        for (CalibratedLayer layer : calibration.layers()) {
            List<CalibratedTensor> tensors = new ArrayList<>();
            for (CalibratedTensor tensor : layer.tensors()) {
                boolean changed =
                        layer.path().equals(path) && tensor.quantType() == QuantType.INPUT;
                tensors.add(changed ? withoutRange(tensor) : tensor);
            }
            layers.add(
                    new CalibratedLayer(
                            layer.path(),
                            layer.type(),
                            layer.foldedBatchNorm(),
                            tensors,
                            layer.unobserved()));
        }
        return new CalibrationConfig(calibration.algorithm(), calibration.step(), layers);
    }

    @SuppressWarnings("NullAway") // does not see that the ranges may be null
    private static CalibratedTensor withoutRange(CalibratedTensor tensor) {
        TensorCalibration c = tensor.calibration();
        return new CalibratedTensor(
                tensor.quantType(),
                tensor.tensor(),
                new TensorCalibration(c.type(), c.scheme(), c.parameters(), null, null));
    }

    /** Evaluation gives the outputs of the model that the calibration came from. */
    @Test
    void loadCalibration_ofUnobservedInputs_evaluatesAsThatModelDid() {
        float[] picture = Networks.random(Networks.SMALL, 3);
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", model)) {
            quantizer.compress();
            CalibrationConfig unobserved = quantizer.calibration();
            train(model, quantizer, 0, 1);
            // The model it came from, with the parameters of now, has no input range.
            quantizer.loadCalibration(unobserved);
            assertThat(unobserved(quantizer)).containsExactly("01Conv2d", "04Linear");
            float[] output = Networks.evaluate(model, picture, Networks.SMALL);
            try (Model other = Networks.smallModel(2);
                    Quantizer fresh = quantizer("qat", other)) {
                fresh.compress();
                Networks.values(model.getBlock())
                        .forEach(
                                (name, values) ->
                                        Networks.set(
                                                other.getBlock().getParameters().get(name),
                                                values));
                fresh.loadCalibration(unobserved);
                assertThat(Networks.evaluate(other, picture, Networks.SMALL)).isEqualTo(output);
            }
        }
    }

    /** What was well at a step that is yet to come says nothing. */
    @Test
    void loadCheckpoint_thenNaN_namesNoLaterStepAtWhichAllWasWell() throws IOException {
        try (Model model = Networks.smallModel(1);
                Quantizer quantizer = quantizer("qat", model)) {
            quantizer.compress();
            train(model, quantizer, 0, 1);
            quantizer.saveCheckpoint(folder.resolve("net"));
            train(model, quantizer, 1, 5);
            quantizer.calibration();
            quantizer.loadCheckpoint(folder.resolve("net"));
            Networks.set(model.getBlock().getParameters().get("04Linear_bias"), Float.NaN, 0, 0);
            train(model, quantizer, 1, 2);
            assertThatThrownBy(quantizer::calibration)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("NaN at step 3. Go back");
        }
    }

    @Test
    void inspection_ofARestoredOrClosedQuantizer_throwsAndAttachesNothing() {
        float[] picture = Networks.random(Networks.SMALL, 3);
        try (Model model = Networks.smallModel(1)) {
            float[] plain = Networks.evaluate(model, picture, Networks.SMALL);
            Quantizer quantizer = quantizer("qat", model);
            quantizer.compress();
            Inspection inspection = quantizer.inspect();
            float[] seen = inspection.onFloatNetwork(block -> evaluate(model, picture));
            assertThat(seen).isEqualTo(plain);
            quantizer.restore();
            assertRefused(inspection, "call compress() first");
            assertThat(evaluate(model, picture)).isEqualTo(plain);
            quantizer.close();
            assertRefused(inspection, "this quantizer is closed");
            assertThat(evaluate(model, picture)).isEqualTo(plain);
        }
    }

    private static void assertRefused(Inspection inspection, String message) {
        assertThatThrownBy(() -> inspection.onFloatNetwork(block -> 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
        assertThatThrownBy(() -> inspection.evaluate(new NDList(), (path, side, i, t) -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
    }

    private static float[] evaluate(Model model, float[] picture) {
        return Networks.evaluate(model, picture, Networks.SMALL);
    }
}
