package org.nni4j.algorithms.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.dataset.ArrayDataset;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;

/** What is observed, and until when, whichever way the observation ends. */
class EndOfObservationTest {

    private static final Shape SHAPE = Networks.SMALL;

    @TempDir Path folder;

    @Test
    void calibrate_afterCalibration_throws() throws Exception {
        try (Model model = Networks.smallModel(1);
                NDManager manager = NDManager.newBaseManager();
                ObserverQuantizer quantizer = quantizer(model, "weight", "input")) {
            ArrayDataset dataset =
                    new ArrayDataset.Builder()
                            .setData(manager.create(Networks.random(SHAPE, 1), SHAPE))
                            .setSampling(2, false)
                            .build();
            quantizer.calibrate(dataset, 2);
            quantizer.calibration();
            assertEnded(quantizer);
            assertThatThrownBy(() -> quantizer.calibrate(dataset, 4))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("the observation has ended");
            // it only says what is so already
            quantizer.compress();
            assertThatThrownBy(quantizer::compress)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the model is quantized already");
        }
    }

    @Test
    void observe_afterLoadCalibration_throws() {
        try (Model model = Networks.smallModel(1)) {
            CalibrationConfig calibration;
            try (ObserverQuantizer quantizer = quantizer(model, "weight", "input")) {
                quantizer.observe();
                evaluate(model, 1);
                calibration = quantizer.calibration();
            }
            try (ObserverQuantizer quantizer = quantizer(model, "weight", "input")) {
                quantizer.observe();
                quantizer.loadCalibration(calibration);
                assertEnded(quantizer);
                assertThat(quantizer.calibration()).isEqualTo(calibration);
            }
        }
    }

    /** With inputs alone there is no quantizer before a tensor arrives. */
    @ParameterizedTest
    @ValueSource(strings = {"weight", "input"})
    void compress_withoutData_leavesInputsFloat(String first) {
        try (Model model = Networks.smallModel(1);
                ObserverQuantizer quantizer = quantizer(model, first, "input")) {
            quantizer.compress();
            CalibrationConfig before = quantizer.calibration();
            final float[] output = evaluate(model, 1);
            evaluate(model, 2);
            assertThat(quantizer.calibration()).isEqualTo(before);
            assertThat(evaluate(model, 1)).isEqualTo(output);
            Networks.train(model, Networks.random(SHAPE, 3), SHAPE, new float[4 * 3]);
            assertEnded(quantizer);
        }
    }

    @Test
    void loadCalibration_afterCompressWithoutData_quantizesInputs() {
        try (Model model = Networks.smallModel(1)) {
            CalibrationConfig calibration;
            float[] expected;
            try (ObserverQuantizer quantizer = quantizer(model, "weight", "input")) {
                quantizer.observe();
                evaluate(model, 1);
                calibration = quantizer.calibration();
                expected = evaluate(model, 2);
            }
            try (ObserverQuantizer quantizer = quantizer(model, "weight", "input")) {
                quantizer.compress();
                assertThat(evaluate(model, 2)).isNotEqualTo(expected);
                quantizer.loadCalibration(calibration);
                assertThat(evaluate(model, 2)).isEqualTo(expected);
            }
        }
    }

    @Test
    void checkpoint_saysThatTheObservationHasEnded() throws Exception {
        try (Model model = Networks.smallModel(1);
                Model fresh = Networks.smallModel(2);
                ObserverQuantizer quantizer = quantizer(model, "weight", "input");
                ObserverQuantizer resumed = quantizer(fresh, "weight", "input")) {
            quantizer.compress();
            quantizer.saveCheckpoint(folder.resolve("net"));
            resumed.observe();
            resumed.loadCheckpoint(folder.resolve("net"));
            assertEnded(resumed);
            assertThat(evaluate(fresh, 1)).isEqualTo(evaluate(model, 1));
            assertThat(resumed.calibration()).isEqualTo(quantizer.calibration());
        }
    }

    /** Going back to before any data was seen must not bring the flag of that time back. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void checkpoint_withoutData_saysWhetherTheObservationHasEnded(boolean ended) throws Exception {
        try (Model model = Networks.smallModel(1);
                Model fresh = Networks.smallModel(2);
                ObserverQuantizer quantizer = quantizer(model, "weight", "input");
                ObserverQuantizer resumed = quantizer(fresh, "weight", "input")) {
            if (ended) {
                quantizer.compress();
                resumed.observe();
            } else {
                quantizer.observe();
                resumed.compress();
            }
            evaluate(fresh, 1);
            quantizer.saveCheckpoint(folder.resolve("net"));
            resumed.loadCheckpoint(folder.resolve("net"));
            if (ended) {
                assertEnded(resumed);
                Networks.train(fresh, Networks.random(SHAPE, 3), SHAPE, new float[4 * 3]);
            } else {
                resumed.observe();
                evaluate(fresh, 2);
                evaluate(model, 2);
            }
            assertThat(resumed.calibration()).isEqualTo(quantizer.calibration());
        }
    }

    @Test
    void checkpoint_whileObserving_isObservedOnAfterLoading() throws Exception {
        try (Model model = Networks.smallModel(1);
                Model fresh = Networks.smallModel(2);
                ObserverQuantizer quantizer = quantizer(model, "weight", "input");
                ObserverQuantizer resumed = quantizer(fresh, "weight", "input")) {
            quantizer.observe();
            evaluate(model, 1);
            quantizer.saveCheckpoint(folder.resolve("net"));
            resumed.compress();
            resumed.loadCheckpoint(folder.resolve("net"));
            resumed.observe();
            evaluate(fresh, 2);
            evaluate(model, 2);
            resumed.compress();
            assertThat(resumed.calibration()).isEqualTo(quantizer.calibration());
        }
    }

    /** As written before states said whether the observation had ended. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void load_ofAnOldState_hasEndedWhereItWasFrozen(boolean frozen) {
        float[] more = {0, 1000};
        Shape shape = new Shape(2);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer writer = point(manager);
                TensorQuantizer quantizer = point(manager)) {
            Points.evaluate(writer, new float[] {-1, 1}, shape);
            if (frozen) {
                writer.calibration();
            }
            Map<String, Long> counters = new LinkedHashMap<>(writer.state().counters());
            counters.remove("ended");
            quantizer.load(new QuantizerState(writer.state().arrays(), counters));
            float[] seen = Points.evaluate(quantizer, more, shape);
            assertThat(seen[1] == 1000).isNotEqualTo(frozen);
            float scale = quantizer.calibration().orElseThrow().parameters().scale()[0];
            assertThat(scale > 1).as("scale %s", scale).isNotEqualTo(frozen);
        }
    }

    @Test
    void compress_ofAWeightThatIsNotANumber_leavesTheModel() {
        try (Model model = Networks.smallModel(1);
                ObserverQuantizer quantizer = quantizer(model, "weight", "input")) {
            Parameter weight = model.getBlock().getParameters().valueAt(0);
            int size = (int) weight.getArray().size();
            Networks.set(weight, filled(Float.NaN, size));
            Object block = model.getBlock().getChildren().valueAt(0);
            assertThatThrownBy(quantizer::compress)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("NaN");
            assertThat(model.getBlock().getChildren().valueAt(0)).isSameAs(block);
            Networks.set(weight, filled(.5f, size));
            quantizer.observe();
            evaluate(model, 1);
            quantizer.compress();
        }
    }

    private static float[] filled(float value, int length) {
        float[] values = new float[length];
        Arrays.fill(values, value);
        return values;
    }

    private static TensorQuantizer point(NDManager manager) {
        return Points.quantizer(
                "observer",
                Points.point(
                        "observer",
                        QuantType.INPUT,
                        8,
                        Map.<String, Object>of("observer", "min_max")),
                manager);
    }

    private static void assertEnded(ObserverQuantizer quantizer) {
        assertThatThrownBy(quantizer::observe)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the observation has ended");
    }

    private static float[] evaluate(Model model, long seed) {
        return Networks.evaluate(model, Networks.random(SHAPE, seed), SHAPE);
    }

    private static ObserverQuantizer quantizer(Model model, String... types) {
        return new ObserverQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types", List.of(types).stream().distinct().toList(),
                                "quant_bits", 8,
                                "op_types", List.of("Conv2d", "Linear"))));
    }
}
