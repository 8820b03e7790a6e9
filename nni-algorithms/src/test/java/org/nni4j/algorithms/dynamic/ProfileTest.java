package org.nni4j.algorithms.dynamic;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nni4j.quantization.QuantizationParameters;

class ProfileTest {

    @Test
    void activation_pytorch_isWhatPyTorchChooses() {
        for (JsonElement element : Golden.at("choose_qparams").getAsJsonArray()) {
            JsonObject golden = element.getAsJsonObject();
            QuantizationParameters chosen =
                    Profile.PYTORCH.activation(
                            golden.get("min").getAsFloat(),
                            golden.get("max").getAsFloat(),
                            golden.get("reduce_range").getAsBoolean());
            assertThat(chosen)
                    .as(golden.toString())
                    .isEqualTo(
                            QuantizationParameters.perTensor(
                                    golden.get("scale").getAsFloat(),
                                    golden.get("zero_point").getAsInt()));
        }
    }

    @Test
    void integers_onnxruntime_areThoseOfDynamicQuantizeLinear() {
        for (JsonElement element : Golden.at("linear/onnx_dql_goldens").getAsJsonArray()) {
            JsonObject golden = element.getAsJsonObject();
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray x = manager.create(Golden.floats(golden.get("x")));
                Integers integers =
                        new DynamicInputQuantizer(Profile.ONNXRUNTIME, false).integers(x);
                float zeroPoint = golden.has("zp") ? golden.get("zp").getAsFloat() : 0;
                float[] expected = Golden.floats(golden.get("q"));
                for (int i = 0; i < expected.length; i++) {
                    expected[i] -= zeroPoint;
                }
                assertThat(integers.values().toFloatArray())
                        .as(golden.toString())
                        .containsExactly(expected);
                // Nine digits were written, so the float is the same.
                if (golden.has("scale")) {
                    assertThat(integers.scale().toFloatArray())
                            .containsExactly(golden.get("scale").getAsFloat());
                }
            }
        }
    }

    /** Whatever the range, 0 is exact and every value within it is half a step away at most. */
    @Test
    void integers_ofAnyRange_areWithinHalfAStep() {
        for (Profile profile : Profile.values()) {
            for (int seed = 0; seed < 200; seed++) {
                Random random = new Random(seed);
                float[] values = new float[50];
                float offset = (float) random.nextGaussian() * 3;
                float width = (float) Math.exp(random.nextGaussian() * 4);
                for (int i = 1; i < values.length; i++) {
                    values[i] = (random.nextFloat() + offset) * width;
                }
                boolean reduced = random.nextBoolean();
                try (NDManager manager = NDManager.newBaseManager()) {
                    Integers integers =
                            new DynamicInputQuantizer(profile, reduced)
                                    .integers(manager.create(values));
                    float[] back = integers.dequantize().toFloatArray();
                    float scale = integers.scale().toFloatArray()[0];
                    assertThat(back[0]).isZero();
                    for (int i = 0; i < values.length; i++) {
                        // A rounded zero point moves the ends of the range by another half step.
                        assertThat(Math.abs(back[i] - values[i]))
                                .as("%s, seed %s, %s", profile, seed, values[i])
                                .isLessThanOrEqualTo(1.001f * scale);
                    }
                }
            }
        }
    }

    @Test
    void integers_notFinite_giveNaNThroughout() {
        try (NDManager manager = NDManager.newBaseManager()) {
            for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                float[] back =
                        new DynamicInputQuantizer(Profile.ONNXRUNTIME, false)
                                .integers(manager.create(new float[] {1, odd, 0}))
                                .dequantize()
                                .toFloatArray();
                assertThat(back).containsExactly(Float.NaN, Float.NaN, Float.NaN);
            }
        }
    }
}
