package org.nni4j.algorithms.dynamic;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.recurrent.RecurrentBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithms.Networks;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.QuantType;

/** The network as PyTorch's and ONNX Runtime's own dynamic kernels compute it. */
class DynamicGoldenTest {

    /**
     * All integers are the same, else values would differ by a step, some 1e-2. What is left is the
     * last bits of float32 in the gates: sigmoid and tanh of ONNX Runtime are rational
     * approximations good to a few 1e-7.
     */
    private static final float LAST_BITS = 5e-7f;

    private static final int STEPS = 5;
    private static final int INPUTS = 4;
    private static final int HIDDEN = 3;

    @ParameterizedTest
    @CsvSource({
        "pytorch, per_tensor_symmetric, true, pt_per_tensor/data",
        "pytorch, per_tensor_symmetric, false, pt_per_tensor_noreduce/data",
        "pytorch, per_channel_symmetric, true, pt_per_channel/data",
        "onnxruntime, per_tensor_symmetric, false, ort_manual_graph/y"
    })
    void linear_givesGoldenValues(String profile, String scheme, boolean reduced, String golden) {
        try (Model model = linear();
                DynamicQuantizer quantizer = quantizer(model, profile, scheme, reduced)) {
            quantizer.compress();
            float[] y = Networks.evaluate(model, Golden.pattern(5, 17, 8, 6, 18), new Shape(3, 6));
            float[] expected = Golden.floats("linear/" + golden);
            if (profile.equals("onnxruntime")) {
                // Nothing but integers, one product and one sum: the same to the last bit.
                assertThat(y).containsExactly(expected);
            } else {
                // PyTorch's kernel multiplies and adds with one rounding where the processor can.
                for (int i = 0; i < expected.length; i++) {
                    assertThat(Math.abs(y[i] - expected[i]))
                            .as("[%s]", i)
                            .isLessThanOrEqualTo(2 * Math.ulp(1f));
                }
            }
        }
    }

    @Test
    void linear_weightsAndCalibration_areGolden() {
        try (Model model = linear()) {
            try (DynamicQuantizer quantizer =
                    quantizer(model, "onnxruntime", "per_tensor_symmetric", false)) {
                quantizer.compress();
                TensorCalibration weight =
                        quantizer
                                .calibration()
                                .layers()
                                .get(0)
                                .tensor(QuantType.WEIGHT, "weight")
                                .orElseThrow();
                float scale = Golden.at("linear/ort_manual_graph/w_scale").getAsFloat();
                assertThat(weight.parameters().scale()).containsExactly(scale);
            }
            assertIntegers(
                    model,
                    Profile.ONNXRUNTIME,
                    Golden.floats("linear/ort_manual_graph/w_int8_rowmajor(out,in)"));
            assertIntegers(model, Profile.PYTORCH, Golden.floats("linear/pt_w_int8"));
        }
    }

    private static void assertIntegers(Model model, Profile profile, float[] expected) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray weight = model.getBlock().getParameters().valueAt(0).getArray().duplicate();
            weight.attach(manager);
            DynamicWeightQuantizer quantizer =
                    (DynamicWeightQuantizer)
                            new DynamicAlgorithm()
                                    .create(
                                            org.nni4j.algorithms.Points.point(
                                                    "dynamic",
                                                    QuantType.WEIGHT,
                                                    8,
                                                    Map.of("profile", profile.key())),
                                            new org.nni4j.algorithm.AlgorithmContext(
                                                    manager,
                                                    org.nni4j.quantization.QuantizationKernels
                                                            .create("ndarray", manager),
                                                    1));
            assertThat(quantizer.integers(weight).values().toFloatArray())
                    .containsExactly(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "pytorch, per_tensor_symmetric, true, pt_per_tensor_reduce_range",
        "pytorch, per_channel_symmetric, true, pt_per_channel",
        "onnxruntime, per_tensor_symmetric, false, ort_per_tensor",
        "onnxruntime, per_channel_symmetric, false, ort_per_channel"
    })
    void lstm_givesGoldenValues(String profile, String scheme, boolean reduced, String golden) {
        for (boolean batchFirst : new boolean[] {false, true}) {
            LSTM lstm =
                    LSTM.builder()
                            .setStateSize(HIDDEN)
                            .setNumLayers(1)
                            .optBatchFirst(batchFirst)
                            .optReturnState(true)
                            .build();
            List<float[]> outputs = run(lstm, 1, 1, profile, scheme, reduced, batchFirst);
            assertGolden(outputs, "lstm/" + golden, "y", "h", "c");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "gru/per_tensor, 1, 1, per_tensor_symmetric",
        "gru/per_tensor_stacked, 2, 3, per_tensor_symmetric",
        "gru/per_channel, 1, 1, per_channel_symmetric"
    })
    void gru_givesGoldenValues(String golden, int layers, int batch, String scheme) {
        GRU gru =
                GRU.builder()
                        .setStateSize(HIDDEN)
                        .setNumLayers(layers)
                        .optBatchFirst(false)
                        .optReturnState(true)
                        .build();
        List<float[]> outputs = run(gru, layers, batch, "pytorch", scheme, true, false);
        assertGolden(outputs, golden + "/quantized", "y", "h");
    }

    @ParameterizedTest
    @CsvSource({
        "stacked, 2, 3, false, true",
        "no_biases, 1, 2, false, false",
        "bidirectional, 2, 2, true, false"
    })
    void lstm_ofEveryBuild_givesGoldenValues(
            String golden, int layers, int batch, boolean bidirectional, boolean biases) {
        LSTM lstm =
                LSTM.builder()
                        .setStateSize(HIDDEN)
                        .setNumLayers(layers)
                        .optBatchFirst(false)
                        .optBidirectional(bidirectional)
                        .optHasBiases(biases)
                        .optReturnState(true)
                        .build();
        List<float[]> outputs =
                run(
                        lstm,
                        layers * (bidirectional ? 2 : 1),
                        batch,
                        "pytorch",
                        "per_tensor_symmetric",
                        true,
                        false);
        assertGolden(outputs, "lstm_more/" + golden + "/quantized", "y", "h", "c");
    }

    private static void assertGolden(List<float[]> outputs, String golden, String... names) {
        assertThat(outputs).hasSameSizeAs(names);
        for (int i = 0; i < names.length; i++) {
            float[] expected = Golden.floats(golden + "/" + names[i] + "/data");
            assertThat(outputs.get(i)).as(golden + ", " + names[i]).hasSameSizeAs(expected);
            for (int k = 0; k < expected.length; k++) {
                assertThat(Math.abs(outputs.get(i)[k] - expected[k]))
                        .as("%s, %s[%s]", golden, names[i], k)
                        .isLessThanOrEqualTo(LAST_BITS);
            }
        }
    }

    private static Model linear() {
        Block linear = Linear.builder().setUnits(4).build();
        Model model = Model.newInstance("linear", "PyTorch");
        linear.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 6));
        model.setBlock(linear);
        Networks.set(linear.getParameters().get("weight"), Golden.pattern(7, 23, 11, 20, 24));
        Networks.set(linear.getParameters().get("bias"), Golden.pattern(3, 7, 3, 10, 4));
        return model;
    }

    private static DynamicQuantizer quantizer(
            Model model, String profile, String scheme, boolean reduced) {
        return new DynamicQuantizer(
                model,
                List.of(
                        Map.of(
                                "quant_types",
                                List.of("weight", "input"),
                                "quant_bits",
                                8,
                                "quant_scheme",
                                Map.of("weight", scheme),
                                "op_types",
                                List.of(model.getBlock().getClass().getSimpleName()),
                                "reduce_range",
                                reduced,
                                "settings",
                                Map.of("profile", profile))));
    }

    private static List<float[]> run(
            RecurrentBlock block,
            int states,
            int batch,
            String profile,
            String scheme,
            boolean reduced,
            boolean batchFirst) {
        // A batch of one has the same order of elements either way.
        Shape shape =
                batchFirst ? new Shape(batch, STEPS, INPUTS) : new Shape(STEPS, batch, INPUTS);
        try (Model model = Model.newInstance("recurrent", "PyTorch")) {
            block.initialize(model.getNDManager(), DataType.FLOAT32, shape);
            model.setBlock(block);
            for (Pair<String, Parameter> p : block.getParameters()) {
                setPattern(p.getKey(), p.getValue());
            }
            try (DynamicQuantizer quantizer = quantizer(model, profile, scheme, reduced);
                    NDManager scope = NDManager.newBaseManager()) {
                quantizer.compress();
                int length = batch * STEPS * INPUTS;
                Shape state = new Shape(states, batch, HIDDEN);
                int size = (int) state.size();
                NDList inputs =
                        new NDList(
                                scope.create(Golden.pattern(5, 17, 8, 6, length), shape),
                                scope.create(Golden.pattern(2, 5, 2, 4, size), state));
                if (block instanceof LSTM) {
                    inputs.add(scope.create(Golden.pattern(3, 7, 3, 5, size), state));
                }
                List<float[]> outputs = new ArrayList<>();
                model.getBlock()
                        .forward(new ParameterStore(scope, false), inputs, false)
                        .forEach(output -> outputs.add(output.toFloatArray()));
                return outputs;
            }
        }
    }

    private static void setPattern(String name, Parameter parameter) {
        int size = (int) parameter.getArray().size();
        boolean input = name.contains("i2h");
        float[] values;
        if (name.endsWith("WEIGHT")) {
            values =
                    input
                            ? Golden.pattern(7, 23, 11, 20, size)
                            : Golden.pattern(5, 19, 9, 18, size);
        } else {
            values = input ? Golden.pattern(3, 11, 5, 25, size) : Golden.pattern(4, 9, 4, 30, size);
        }
        Networks.set(parameter, values);
    }
}
