package org.nni4j.algorithms.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.ArrayDataset;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.algorithms.Points;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.ConfigException;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

class ObserverQuantizerTest {

    /** Channels of a linear layer lie along the last axis, of which ranks have different ones. */
    @Test
    void perChannelInput_ofAnotherRank_isQuantizedAlongItsLastAxis() {
        float[] seen = {.1f, 10, .2f, -20, .3f, 30};
        float[] data = {.05f, 7, .15f, -11, .25f, 23, .02f, 3, .12f, 4, .22f, 5};
        try (Model model = Networks.linear(new float[][] {{1, 2, 3}});
                Model fresh = Networks.linear(new float[][] {{1, 2, 3}});
                ObserverQuantizer quantizer = perChannel(model);
                ObserverQuantizer loaded = perChannel(fresh)) {
            quantizer.observe();
            Networks.evaluate(model, seen, new Shape(2, 3));
            Networks.evaluate(model, seen, new Shape(1, 2, 3));
            quantizer.compress();
            loaded.compress();
            loaded.loadCalibration(quantizer.calibration());
            float[] expected = Networks.evaluate(model, data, new Shape(4, 3));
            for (Model each : List.of(model, fresh)) {
                for (Shape shape : List.of(new Shape(2, 2, 3), new Shape(1, 4, 3))) {
                    assertThat(Networks.evaluate(each, data, shape))
                            .as("%s", shape)
                            .containsExactly(expected);
                }
            }
        }
    }

    private static ObserverQuantizer perChannel(Model model) {
        return new ObserverQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types",
                                List.of("input"),
                                "quant_bits",
                                4,
                                "quant_scheme",
                                "per_channel_symmetric",
                                "op_types",
                                List.of("Linear"))));
    }

    @Test
    void calibrate_thatFails_countsNothing() throws Exception {
        Shape shape = Networks.SMALL;
        float[] images = Networks.random(shape, 5);
        float[] damaged = images.clone();
        damaged[damaged.length - 1] = Float.NaN;
        try (Model model = Networks.smallModel(1);
                Model other = Networks.smallModel(1);
                NDManager manager = NDManager.newBaseManager();
                ObserverQuantizer quantizer = every(model, "ema");
                ObserverQuantizer expected = every(other, "ema")) {
            assertThatThrownBy(() -> quantizer.calibrate(oneByOne(manager, damaged, shape), 4))
                    .hasMessageContaining("NaN");
            assertThat(quantizer.calibrate(oneByOne(manager, images, shape), 4)).isEqualTo(4);
            expected.calibrate(oneByOne(manager, images, shape), 4);
            assertThat(quantizer.calibration()).isEqualTo(expected.calibration());
        }
    }

    private static ArrayDataset oneByOne(NDManager manager, float[] images, Shape shape) {
        return new ArrayDataset.Builder()
                .setData(manager.create(images, shape))
                .setSampling(1, false)
                .build();
    }

    private static ObserverQuantizer every(Model model, String observer) {
        return new ObserverQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types",
                                List.of("weight", "input", "output"),
                                "quant_bits",
                                8,
                                "observer",
                                observer,
                                "op_types",
                                List.of("Conv2d", "Linear"))));
    }

    /** Calibrating parts and merging them is calibrating on all of the data. */
    @ParameterizedTest
    @ValueSource(strings = {"min_max", "ema", "percentile", "histogram", "entropy", "mse"})
    void merge_ofTwoCalibrations_isTheCalibrationOnBoth(String observer) {
        for (int seed = 0; seed < 3; seed++) {
            try (Model left = Networks.smallModel(1);
                    Model right = Networks.smallModel(1);
                    Model both = Networks.smallModel(1);
                    ObserverQuantizer first = every(left, observer);
                    ObserverQuantizer second = every(right, observer);
                    ObserverQuantizer all = every(both, observer)) {
                first.observe();
                second.observe();
                all.observe();
                Random random = new Random(seed);
                for (int part = 0; part < 2; part++) {
                    for (int batch = random.nextInt(3); batch >= 0; batch--) {
                        float[] images = random(random.nextLong(), (int) Networks.SMALL.size());
                        Networks.evaluate(part == 0 ? left : right, images, Networks.SMALL);
                        Networks.evaluate(both, images, Networks.SMALL);
                    }
                }
                first.merge(second);
                assertAlike(first.calibration(), all.calibration(), "seed " + seed);
                // the merged one is as it was, and goes on
                Networks.evaluate(right, random(1, (int) Networks.SMALL.size()), Networks.SMALL);
                second.compress();
            }
        }
    }

    private static void assertAlike(CalibrationConfig got, CalibrationConfig wanted, String what) {
        assertThat(got)
                .as(what)
                .usingRecursiveComparison()
                .withComparatorForType(
                        // moving averages are merged to rounding, all else to the bit
                        (a, b) -> Math.abs(a - b) <= 1e-6 * Math.abs(b) ? 0 : Float.compare(a, b),
                        Float.class)
                .isEqualTo(wanted);
    }

    @Test
    void merge_intoOneThatSawNothing_isTheOther() {
        try (Model model = Networks.smallModel(1);
                Model copy = Networks.smallModel(1);
                ObserverQuantizer quantizer = every(model, "histogram");
                ObserverQuantizer other = every(copy, "histogram")) {
            other.observe();
            Networks.evaluate(copy, Networks.random(Networks.SMALL, 1), Networks.SMALL);
            quantizer.merge(other);
            assertThat(quantizer.calibration()).isEqualTo(other.calibration());
        }
    }

    @Test
    void merge_ofWhatDoesNotFit_changesNothing() {
        try (Model model = Networks.smallModel(1);
                Model copy = Networks.smallModel(1);
                Model stranger = Networks.smallModel(2);
                ObserverQuantizer quantizer = every(model, "min_max");
                ObserverQuantizer ended = every(copy, "min_max");
                ObserverQuantizer otherWeights = every(stranger, "min_max");
                ObserverQuantizer otherPlan = every(copy, "ema");
                ObserverQuantizer unattached = every(copy, "min_max")) {
            ended.compress();
            ended.restore();
            otherPlan.observe();
            otherWeights.observe();
            assertThatThrownBy(() -> quantizer.merge(quantizer))
                    .hasMessage("a quantizer cannot be merged into itself");
            assertThatThrownBy(() -> quantizer.merge(ended))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the other quantizer's observation has ended");
            assertThatThrownBy(() -> quantizer.merge(unattached))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("call compress() first");
            assertThatThrownBy(() -> quantizer.merge(otherPlan))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("observer=ema")
                    .hasMessageContaining("observer=min_max");
            assertThatThrownBy(() -> quantizer.merge(otherWeights))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("parameters are not this one's");
            Networks.evaluate(model, Networks.random(Networks.SMALL, 1), Networks.SMALL);
            quantizer.compress();
            assertThatThrownBy(() -> quantizer.merge(otherWeights))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("the observation has ended");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "percentile, 99.5, histogram",
        "ema_decay, 0.5, min_max",
        "ema_bias_correction, true, percentile"
    })
    void settingOfAnotherObserver_isAConfigError(String key, String value, String observer) {
        try (Model model = Networks.smallModel(1)) {
            String setting =
                    "percentile".equals(key)
                            ? "'percentile': " + value
                            : "'settings': {'" + key + "': " + value + "}";
            String json =
                    "[{'quant_types': ['input'], 'quant_bits': 8, 'op_types': ['Linear'],"
                            + " 'observer': '"
                            + observer
                            + "', "
                            + setting
                            + "}]";
            assertThatThrownBy(
                            () ->
                                    new ObserverQuantizer(
                                            model, ConfigList.fromJson(json.replace('\'', '"'))))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(key + ": is not used by the observer \"" + observer);
        }
    }

    private static final Shape ONE = new Shape(1, 1, 28, 28);

    /**
     * NNI's scale is max / 127.5, which its own clamp to -127..127 then does not reach; given that
     * scale, it agrees.
     */
    @Test
    void weight_atNnisScale_isNnis() {
        float[] w = {-.9f, .25f, .4f, .1f, -.3f, 1.3f};
        QuantizedType int8 = new QuantizedType(8, QuantizationDtype.INT);
        QuantizationScheme scheme = QuantizationScheme.PER_TENSOR_SYMMETRIC;
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "observer",
                                Points.point(
                                        QuantType.WEIGHT,
                                        8,
                                        QuantizationDtype.INT,
                                        scheme,
                                        Map.of()),
                                manager)) {
            quantizer.restore(
                    new TensorCalibration(
                            int8,
                            scheme,
                            QuantizationParameters.perTensor(0.0101960776f, 0),
                            new float[] {-1.3f},
                            new float[] {1.3f}));
            assertThat(Points.evaluate(quantizer, w, new Shape(2, 3)))
                    .containsExactly(
                            new float[] {
                                -.89725482f,
                                .25490195f,
                                .39764702f,
                                .10196078f,
                                -.29568624f,
                                1.29490185f
                            },
                            within(1e-6f)); // digits given
        }
    }

    @Test
    void weights_ofEightBits_areWithinHalfAStep() {
        float[][] weight = {random(7, 3), random(8, 3)};
        float[] identity = {1, 0, 0, 0, 1, 0, 0, 0, 1};
        try (Model model = Networks.linear(weight);
                ObserverQuantizer quantizer = quantizer(model, "weight")) {
            quantizer.compress();
            float[] columns = Networks.evaluate(model, identity, new Shape(3, 3));
            CalibrationConfig calibration = quantizer.calibration();
            float[] scale =
                    calibration.layers().get(0).tensors().get(0).calibration().parameters().scale();
            assertThat(scale).hasSize(2);
            for (int out = 0; out < 2; out++) {
                for (int in = 0; in < 3; in++) {
                    float error = columns[in * 2 + out] - weight[out][in];
                    // and the rounding of q times scale
                    assertThat(Math.abs(error)).isLessThanOrEqualTo(scale[out] * 0.50001f);
                }
            }
        }
    }

    @Test
    void calibration_ofNnisModel_hasItsFourLayers() {
        try (Model model = Networks.lenetModel(1);
                ObserverQuantizer quantizer = quantizer(model, "weight")) {
            quantizer.compress();
            assertThat(quantizer.calibration().layers()).hasSize(4);
        }
    }

    @Test
    void observe_untilCompress_computesInFloat() {
        float[] image = random(1, 784);
        try (Model model = Networks.lenetModel(2);
                ObserverQuantizer quantizer = quantizer(model, "weight", "input", "output")) {
            float[] plain = Networks.evaluate(model, image, ONE);
            quantizer.observe();
            assertThat(Networks.evaluate(model, image, ONE)).isEqualTo(plain);
            quantizer.compress();
            float[] quantized = Networks.evaluate(model, image, ONE);
            assertThat(quantized).isNotEqualTo(plain);
            for (int i = 0; i < plain.length; i++) {
                assertThat(quantized[i]).isCloseTo(plain[i], within(.1f)); // int8 throughout
            }
            assertThatThrownBy(quantizer::compress)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the model is quantized already");
        }
    }

    @Test
    void calibrate_onADataSet_isObservingItsBatches() throws Exception {
        float[] images = random(3, 10 * 784);
        try (Model model = Networks.lenetModel(3);
                NDManager manager = NDManager.newBaseManager();
                ObserverQuantizer byDataset = quantizer(model, "weight", "input")) {
            ArrayDataset dataset =
                    new ArrayDataset.Builder()
                            .setData(manager.create(images, new Shape(10, 1, 28, 28)))
                            .setSampling(4, false)
                            .build();
            assertThat(byDataset.calibrate(dataset, 6)).isEqualTo(8);
            byDataset.compress();
            String expected = byDataset.calibration().toJson();
            byDataset.restore();
            try (ObserverQuantizer byHand = quantizer(model, "weight", "input")) {
                byHand.observe();
                float[] eight = java.util.Arrays.copyOf(images, 8 * 784);
                Networks.evaluate(model, eight, new Shape(8, 1, 28, 28));
                byHand.compress();
                assertThat(byHand.calibration().toJson()).isEqualTo(expected);
            }
        }
    }

    @Test
    void trainingForward_whileObserving_throws() {
        try (Model model = Networks.lenetModel(4);
                ObserverQuantizer quantizer = quantizer(model, "input")) {
            quantizer.observe();
            assertThatThrownBy(() -> Networks.train(model, random(1, 784), ONE, random(2, 10)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("01Conv2d")
                    .hasMessageContaining("evaluation mode");
        }
    }

    @Test
    void everyObserver_canBeChosen() {
        for (String kind : List.of("min_max", "ema", "percentile", "histogram", "entropy", "mse")) {
            try (Model model = Networks.lenetModel(5);
                    ObserverQuantizer quantizer =
                            new ObserverQuantizer(
                                    model,
                                    List.of(
                                            Map.of(
                                                    "quant_types",
                                                    List.of("weight", "input"),
                                                    "quant_bits",
                                                    8,
                                                    "op_types",
                                                    List.of("Conv2d", "Linear"),
                                                    "observer",
                                                    kind)))) {
                float[] image = random(6, 784);
                float[] plain = Networks.evaluate(model, image, ONE);
                quantizer.observe();
                Networks.evaluate(model, image, ONE);
                quantizer.compress();
                float[] quantized = Networks.evaluate(model, image, ONE);
                for (int i = 0; i < plain.length; i++) {
                    // int8 with a few values clipped
                    assertThat(quantized[i]).as(kind).isCloseTo(plain[i], within(.3f));
                }
            }
        }
    }

    @Test
    void reduceRange_leavesABitUnused() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "observer",
                                Points.point(
                                        QuantType.INPUT,
                                        8,
                                        QuantizationDtype.UINT,
                                        QuantizationScheme.PER_TENSOR_AFFINE,
                                        Map.of("reduce_range", true, "observer", "min_max")),
                                manager)) {
            Points.evaluate(quantizer, new float[] {0, 1, 2, 3}, new Shape(4));
            TensorCalibration calibration = quantizer.calibration().orElseThrow();
            assertThat(calibration.type().qmax()).isEqualTo(127);
            assertThat(calibration.parameters().scale()[0]).isEqualTo(3f / 127);
        }
    }

    @Test
    void unknownObserver_isAConfigError() {
        try (Model model = Networks.lenetModel(6)) {
            assertThatThrownBy(
                            () ->
                                    new ObserverQuantizer(
                                            model,
                                            List.of(
                                                    Map.of(
                                                            "quant_types",
                                                            List.of("weight"),
                                                            "quant_bits",
                                                            8,
                                                            "op_types",
                                                            List.of("Conv2d"),
                                                            "observer",
                                                            "minmax"))))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("min_max");
        }
    }

    private static ObserverQuantizer quantizer(Model model, String... types) {
        return new ObserverQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types", List.of(types),
                                "quant_bits", 8,
                                "op_types", List.of("Conv2d", "Linear"))));
    }

    private static float[] random(long seed, int length) {
        Random random = new Random(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }
}
