package org.nni4j.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values and gradients of the other algorithms' kernels, of each implementation. */
class LowBitKernelNumbersTest extends KernelNumbers {

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void lowBitKernels_notFinite_saturateAndKeepNan(String name) {
        float[] values = {-INF, 0.4f, Float.NaN, INF};
        QuantizationKernels k = kernels(name);
        NDArray x = array(values);
        assertThat(backward(x, v -> k.binarize(v, true))).containsExactly(-1, 1, Float.NaN, 1);
        assertThat(gradientBesideNan(x)).containsExactly(0, 2, 0, 0);
        x = array(values);
        assertThat(backward(x, v -> k.binarize(v, false))).containsExactly(-1, 1, Float.NaN, 1);
        assertThat(gradientBesideNan(x)).containsExactly(0, 2, 0, 0);
        x = array(values);
        assertThat(backward(x, v -> k.unitQuantize(v, 1))).containsExactly(0, 0, Float.NaN, 1);
        assertThat(gradientBesideNan(x)).containsExactly(0, 2, 0, 0);
        x = array(values);
        assertThat(backward(x, v -> k.clippedQuantize(v, array(3), 1)))
                .containsExactly(0, 0, Float.NaN, 3);
        assertThat(gradientBesideNan(x)).containsExactly(0, 2, 0, 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void binarize_nniOutputs_hasHardTanhsGradient(String name) {
        NDArray x = array(-2, -1.0001f, -1, -.5f, 0, .5f, 1, 1.0001f, 1.5f);
        float[] y = backward(x, v -> kernels(name).binarize(v, true));
        assertThat(y).containsExactly(-1, -1, -1, -1, 1, 1, 1, 1, 1);
        assertThat(x.getGradient().toFloatArray()).containsExactly(0, 0, 3, 4, 5, 6, 7, 0, 0);
        NDArray w = array(-2, 0, 2);
        backward(w, v -> kernels(name).binarize(v, false));
        assertThat(w.getGradient().toFloatArray()).containsExactly(1, 2, 3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void tanhQuantize_nniWeights_givesNnisNumbers(String name) {
        assertTanh(name, 1, -1, -1, 1, 1, 1, -1);
        assertTanh(name, 2, -1, -.33333331f, .33333337f, 1, .33333337f, -.33333331f);
        assertTanh(name, 3, -1, -.4285714f, .14285719f, .71428573f, .71428573f, -.14285713f);
        assertTanh(name, 4, -1, -.46666664f, .06666672f, .73333335f, .60000002f, -.06666666f);
        assertTanh(name, 8, -1, -.48235291f, .10588241f, .78823531f, .62352943f, -.05098039f);
    }

    private void assertTanh(String name, int bits, float... expected) {
        NDArray w = array(-2, -.5f, .1f, 1, .7f, -.05f);
        float[] y = backward(w, v -> kernels(name).tanhQuantize(v, bits, false));
        assertThat(y).as(bits + " bits").containsExactly(expected, within(1e-7f));
        assertThat(w.getGradient().toFloatArray()).containsExactly(UPSTREAM);
        assertThat(
                        backward(
                                array(-2, -.5f, .1f, 1, .7f, -.05f),
                                v -> kernels(name).tanhQuantize(v, bits, true)))
                .containsExactly(y);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void tanhQuantize_differentiated_hasTheGradientOfTanhOverItsMaximum(String name) {
        NDArray w = array(-2, 0.5f);
        backward(w, v -> kernels(name).tanhQuantize(v, 2, true));
        // y0 = tanh(w0)/|tanh(w0)| is constant; y1 = tanh(w1)/-tanh(w0), upstream 1 and 2
        double t0 = Math.tanh(-2);
        double t1 = Math.tanh(.5);
        double d1 = 2 * (1 - t1 * t1) / -t0;
        double d0 = 2 * t1 / (t0 * t0) * (1 - t0 * t0);
        assertThat(w.getGradient().toFloatArray()[1]).isCloseTo((float) d1, within(1e-6f));
        assertThat(w.getGradient().toFloatArray()[0]).isCloseTo((float) d0, within(1e-6f));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void scaledSign_distillerWeights_givesItsNumbers(String name) {
        NDArray w = array(-2, -1, -.5f, 0, .25f, 1, 3);
        float[] y = backward(w, v -> kernels(name).scaledSign(v));
        float m = 1.107143f;
        assertThat(y).containsExactly(a(-m, -m, -m, m, m, m, m), within(1e-6f));
        assertThat(w.getGradient().toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6, 7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void unitQuantize_distillerActivations_givesItsNumbers(String name) {
        float[] x = {-1, 0, .1f, .33f, .5f, .9f, 1, 2};
        float third = 1 / 3f;
        assertThat(kernels(name).unitQuantize(array(x), 1).toFloatArray())
                .containsExactly(0, 0, 0, 0, 0, 1, 1, 1);
        assertThat(kernels(name).unitQuantize(array(x), 2).toFloatArray())
                .containsExactly(a(0, 0, 0, third, 2 * third, 1, 1, 1), within(1e-7f));
        NDArray v = array(x);
        assertThat(backward(v, u -> kernels(name).unitQuantize(u, 4)))
                .containsExactly(
                        a(0, 0, .133333f, .333333f, .533333f, .933333f, 1, 1), within(1e-6f));
        assertThat(v.getGradient().toFloatArray()).containsExactly(0, 2, 3, 4, 5, 6, 7, 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void clippedQuantize_distillerActivations_givesItsNumbers(String name) {
        NDArray x = array(-1, .5f, 3, 7.9f, 8, 9, 20);
        NDArray level = array(8);
        float[] y = backward(x, v -> kernels(name).clippedQuantize(v, level, 4), level);
        assertThat(y).containsExactly(a(0, .533333f, 3.2f, 8, 8, 8, 8), within(1e-6f));
        assertThat(x.getGradient().toFloatArray()).containsExactly(0, 2, 3, 4, 0, 0, 0);
        assertThat(level.getGradient().getFloat()).isEqualTo(5 + 6 + 7);
    }
}
