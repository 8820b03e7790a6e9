package org.nni4j.algorithms.dynamic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.config.ConfigException;

class DynamicQuantizerTest {

    private static final Shape SEQUENCE = new Shape(2, 7, 5);

    private static Map<String, Object> entry(Map<String, Object> changes) {
        Map<String, Object> entry =
                new java.util.HashMap<>(
                        Map.of(
                                "quant_types",
                                List.of("weight", "input"),
                                "quant_bits",
                                8,
                                "op_types",
                                List.of("Linear", "LSTM")));
        entry.putAll(changes);
        return entry;
    }

    private static Model model(Block block, Shape shape) {
        Model model = Model.newInstance("dynamic", "PyTorch");
        model.getNDManager().getEngine().setRandomSeed(3);
        block.initialize(model.getNDManager(), DataType.FLOAT32, shape);
        model.setBlock(block);
        return model;
    }

    private static LSTM.Builder lstm() {
        return LSTM.builder().setStateSize(6).setNumLayers(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "quant_types | weight | without the layer's input",
                "quant_types | input | without the layer's weight",
                "op_types | GRU | GRU has no dynamic kernel in profile \"onnxruntime\"; expected"
                        + " [LSTM, Linear]",
                "op_types | Dropout | expected op_types out of [GRU, LSTM, Linear]",
                "profile | tflite | profile: tflite is not supported; expected one of [onnxruntime,"
                        + " pytorch]",
                "quant_scheme.weight | per_tensor_affine | expected per_tensor_symmetric or"
                        + " per_channel_symmetric",
                "quant_scheme.input | per_channel_symmetric | expected per_tensor_affine",
            })
    void config_ofWhatNoKernelDoes_isAnError(String key, String value, String message) {
        Map<String, Object> change =
                switch (key) {
                    case "profile" -> Map.of("settings", Map.of("profile", value));
                    case "quant_scheme.weight" -> Map.of("quant_scheme", Map.of("weight", value));
                    case "quant_scheme.input" -> Map.of("quant_scheme", Map.of("input", value));
                    default -> Map.of(key, List.of(value));
                };
        Block block =
                new SequentialBlock()
                        .add(lstm().build())
                        .add(GRU.builder().setStateSize(4).setNumLayers(1).build())
                        .add(Linear.builder().setUnits(3).build())
                        .add(ai.djl.nn.norm.Dropout.builder().build());
        try (Model model = model(block, SEQUENCE)) {
            assertThatThrownBy(() -> new DynamicQuantizer(model, List.of(entry(change))))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("config[0]")
                    .hasMessageContaining(message);
        }
    }

    @Test
    void network_quantized_isNearTheFloatOne_andRestored() {
        Block block =
                new SequentialBlock().add(lstm().build()).add(Linear.builder().setUnits(3).build());
        try (Model model = model(block, SEQUENCE);
                DynamicQuantizer quantizer =
                        new DynamicQuantizer(model, List.of(entry(Map.of())))) {
            float[] input = Networks.random(SEQUENCE, 1);
            float[] before = Networks.evaluate(model, input, SEQUENCE);
            quantizer.compress();
            float[] quantized = Networks.evaluate(model, input, SEQUENCE);
            double difference = 0;
            double magnitude = 0;
            for (int i = 0; i < before.length; i++) {
                difference += Math.abs(before[i] - quantized[i]);
                magnitude += Math.abs(before[i]);
            }
            // Some eight bits in, some seven bits out.
            assertThat(difference).isPositive().isLessThan(0.02 * magnitude);
            quantizer.restore();
            assertThat(Networks.evaluate(model, input, SEQUENCE)).isEqualTo(before);
        }
    }

    @Test
    void trainingForward_isRefused() {
        try (Model model = model(Linear.builder().setUnits(3).build(), SEQUENCE);
                DynamicQuantizer quantizer = new DynamicQuantizer(model, List.of(entry(Map.of())));
                NDManager scope = NDManager.newBaseManager()) {
            quantizer.compress();
            NDList input = new NDList(scope.ones(SEQUENCE));
            assertThatThrownBy(
                            () ->
                                    model.getBlock()
                                            .forward(new ParameterStore(scope, false), input, true))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(
                            "layer \"Linear\": dynamic quantization has no training forward");
        }
    }

    @Test
    void lstm_returnsStatesOnlyWhereItDidBefore_andStartsFromZeros() {
        for (boolean states : new boolean[] {false, true}) {
            try (Model model = model(lstm().optReturnState(states).build(), SEQUENCE);
                    DynamicQuantizer quantizer =
                            new DynamicQuantizer(model, List.of(entry(Map.of())));
                    NDManager scope = NDManager.newBaseManager()) {
                quantizer.compress();
                ParameterStore store = new ParameterStore(scope, false);
                NDArray x = scope.create(Networks.random(SEQUENCE, 2), SEQUENCE);
                NDArray zeros = scope.zeros(new Shape(2, 2, 6));
                NDList alone = model.getBlock().forward(store, new NDList(x), false);
                NDList started =
                        model.getBlock().forward(store, new NDList(x, zeros, zeros), false);
                assertThat(alone).hasSize(states ? 3 : 1);
                for (int i = 0; i < alone.size(); i++) {
                    assertThat(alone.get(i).toFloatArray())
                            .isEqualTo(started.get(i).toFloatArray());
                }
            }
        }
    }

    /** Every product is extreme, so float32 could not hold the sum; float64 and int32 can. */
    @Test
    void linear_ofLongSums_isExact() {
        int inputs = 5003;
        Shape shape = new Shape(1, inputs);
        float[] weight = new float[inputs];
        float[] input = new float[inputs];
        Random random = new Random(4);
        long sum = 0;
        for (int i = 0; i < inputs; i++) {
            int w = i == 0 ? 127 : 100 + random.nextInt(27);
            int x = i == 0 ? 255 : 200 + random.nextInt(55);
            weight[i] = w;
            input[i] = x;
            sum += (long) w * x;
        }
        assertThat(sum).isGreaterThan(1 << 24);
        try (Model model = model(Linear.builder().setUnits(1).optBias(false).build(), shape);
                DynamicQuantizer quantizer =
                        new DynamicQuantizer(model, List.of(entry(Map.of())))) {
            Networks.set(model.getBlock().getParameters().valueAt(0), weight);
            quantizer.compress();
            // Both scales are 1.
            assertThat(Networks.evaluate(model, input, shape)).containsExactly((float) sum);
        }
    }

    /** DJL's LSTM leaves its first states on the input's manager; nothing else may stay. */
    @Test
    void forwards_leaveNoMoreArraysThanTheFloatNetwork() {
        try (Model model = model(lstm().build(), SEQUENCE);
                DynamicQuantizer quantizer =
                        new DynamicQuantizer(model, List.of(entry(Map.of())))) {
            int left = arraysLeft(model);
            int ofModel = model.getNDManager().getManagedArrays().size();
            quantizer.compress();
            assertThat(arraysLeft(model)).isEqualTo(left);
            assertThat(model.getNDManager().getManagedArrays()).hasSize(ofModel);
        }
    }

    private static int arraysLeft(Model model) {
        try (NDManager scope = NDManager.newBaseManager()) {
            NDArray x = scope.create(Networks.random(SEQUENCE, 2), SEQUENCE);
            ParameterStore store = new ParameterStore(scope, false);
            for (int i = 0; i < 5; i++) {
                model.getBlock().forward(store, new NDList(x), false).close();
            }
            return scope.getManagedArrays().size();
        }
    }

    @Test
    void weight_notFinite_isNamed() {
        try (Model model = model(Linear.builder().setUnits(1).build(), new Shape(1, 2));
                DynamicQuantizer quantizer =
                        new DynamicQuantizer(model, List.of(entry(Map.of())))) {
            Networks.set(model.getBlock().getParameters().get("weight"), 1, Float.NaN);
            quantizer.compress();
            assertThatThrownBy(() -> Networks.evaluate(model, new float[2], new Shape(1, 2)))
                    .hasMessageContaining("layer \"Linear\" (Linear), weight weight: holds NaN");
        }
    }
}
