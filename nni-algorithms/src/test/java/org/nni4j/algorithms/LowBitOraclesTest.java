package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;

/** DoReFa, BNN and PACT against numbers from running NNI 2.10.1 and Distiller. */
class LowBitOraclesTest {

    /** The references print as many digits. */
    private static final Offset<Float> DIGITS = within(1e-6f);

    private static final Map<String, Object> NNI = Map.of("variant", "nni");
    private static final float[] NNI_WEIGHT = {-2, -.5f, .1f, 1, .7f, -.05f};
    private static final float[] DISTILLER_WEIGHT = {-2, -1, -.5f, 0, .25f, 1, 3};
    private static final float[] DISTILLER_INPUT = {-1, 0, .1f, .33f, .5f, .9f, 1, 2};

    @Test
    void dorefa_nniVariant_givesNniWeightsAndGradients() {
        assertNni(1, -1, -1, 1, 1, 1, -1);
        assertNni(2, -1, -.33333331f, .33333337f, 1, .33333337f, -.33333331f);
        assertNni(3, -1, -.4285714f, .14285719f, .71428573f, .71428573f, -.14285713f);
        assertNni(4, -1, -.46666664f, .06666672f, .73333335f, .60000002f, -.06666666f);
        assertNni(8, -1, -.48235291f, .10588241f, .78823531f, .62352943f, -.05098039f);
    }

    private static void assertNni(int bits, float... expected) {
        float[] upstream = {1, 2, 3, 4, 5, 6};
        Points.Pass pass = train("dorefa", QuantType.WEIGHT, bits, NNI, NNI_WEIGHT, upstream);
        assertThat(pass.output()).containsExactly(expected, DIGITS);
        assertThat(pass.gradient()).containsExactly(upstream);
    }

    @Test
    void dorefa_weights_areDistillers() {
        float third = 1f / 3;
        assertWeights(
                1, -1.107143f, -1.107143f, -1.107143f, 1.107143f, 1.107143f, 1.107143f, 1.107143f);
        assertWeights(2, -1, -1, -third, third, third, 1, 1);
        assertWeights(3, -1, -.714286f, -.428571f, .142857f, .142857f, .714286f, 1);
        assertWeights(4, -1, -.733333f, -.466667f, .066667f, .2f, .733333f, 1);
        assertWeights(8, -.968627f, -.764706f, -.466667f, .003922f, .247059f, .764706f, 1);
    }

    private static void assertWeights(int bits, float... expected) {
        for (String algorithm : new String[] {"dorefa", "pact"}) {
            assertThat(evaluate(algorithm, QuantType.WEIGHT, bits, DISTILLER_WEIGHT))
                    .as(algorithm)
                    .containsExactly(expected, DIGITS);
        }
    }

    @Test
    void dorefa_inputs_areDistillers() {
        float third = 1f / 3;
        assertInputs(1, 0, 0, 0, 0, 0, 1, 1, 1);
        assertInputs(2, 0, 0, 0, third, 2 * third, 1, 1, 1);
        assertInputs(4, 0, 0, .133333f, .333333f, .533333f, .933333f, 1, 1);
    }

    private static void assertInputs(int bits, float... expected) {
        assertThat(evaluate("dorefa", QuantType.INPUT, bits, DISTILLER_INPUT))
                .containsExactly(expected, DIGITS);
        float[] ones = {1, 1, 1, 1, 1, 1, 1, 1};
        Points.Pass pass = train("dorefa", QuantType.OUTPUT, bits, Map.of(), DISTILLER_INPUT, ones);
        assertThat(pass.output()).containsExactly(expected, DIGITS);
        assertThat(pass.gradient()).containsExactly(0, 1, 1, 1, 1, 1, 1, 0);
    }

    @Test
    void bnn_signAndGradients_areNnis() {
        float[] x = {-2, -1.0001f, -1, -.5f, 0, .5f, 1, 1.0001f, 1.5f};
        float[] ones = {1, 1, 1, 1, 1, 1, 1, 1, 1};
        float[] signs = {-1, -1, -1, -1, 1, 1, 1, 1, 1};
        Points.Pass output = train("bnn", QuantType.OUTPUT, 1, Map.of(), x, ones);
        assertThat(output.output()).containsExactly(signs);
        assertThat(output.gradient()).containsExactly(0, 0, 1, 1, 1, 1, 1, 0, 0);
        Points.Pass weight = train("bnn", QuantType.WEIGHT, 1, Map.of(), x, ones);
        assertThat(weight.output()).containsExactly(signs);
        assertThat(weight.gradient()).containsExactly(ones);
    }

    @Test
    void pact_fourBits_isDistillers() {
        float[] x = {-1, .5f, 3, 7.9f, 8, 9, 20};
        float[] ones = {1, 1, 1, 1, 1, 1, 1};
        Points.Pass pass = train("pact", QuantType.OUTPUT, 4, Map.of(), x, ones);
        assertThat(pass.output())
                .containsExactly(new float[] {0, .533333f, 3.2f, 8, 8, 8, 8}, DIGITS);
        assertThat(pass.gradient()).containsExactly(0, 1, 1, 1, 0, 0, 0);
        assertThat(pass.learned().get(0)).containsExactly(3);
    }

    private static Points.Pass train(
            String algorithm,
            QuantType type,
            int bits,
            Map<String, Object> settings,
            float[] input,
            float[] upstream) {
        QuantizationPoint point = Points.point(algorithm, type, bits, settings);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = Points.quantizer(algorithm, point, manager)) {
            return Points.train(quantizer, input, new Shape(input.length), upstream);
        }
    }

    private static float[] evaluate(String algorithm, QuantType type, int bits, float[] input) {
        QuantizationPoint point = Points.point(algorithm, type, bits, Map.of());
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = Points.quantizer(algorithm, point, manager)) {
            return Points.evaluate(quantizer, input, new Shape(input.length));
        }
    }
}
