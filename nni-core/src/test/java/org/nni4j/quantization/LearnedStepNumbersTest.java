package org.nni4j.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.nni4j.quantization.QuantizationParameters.PER_TENSOR;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values and gradients of learned step sizes, of each implementation. */
class LearnedStepNumbersTest extends KernelNumbers {

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void learnedStep_weights_givesThePapersGradients(String name) {
        float[] y8 = {-0.8651727f, 0.2883909f, 0.3845212f, 0.0961303f, -0.2883909f, 1.3458241f};
        assertLearned(name, 8, 0.0961302966f, y8, UPSTREAM, 0.1442129314f);
        float[] y4 = {-0.8189231f, 0.4094615f, 0.4094615f, 0, -0.4094615f, 1.2283846f};
        assertLearned(name, 4, 0.4094615281f, y4, UPSTREAM, -0.3574804664f);
        float[] y3 = {-0.6254628f, 0, 0.6254628f, 0, 0, 1.2509257f};
        assertLearned(name, 3, 0.6254628301f, y3, UPSTREAM, 0.4734977186f);
        float[] y2 = {-1.0833334f, 0, 0, 0, 0, 1.0833334f};
        // 1.3 / s = 1.2 rounds to 1, inside; but it is above 1, so it has the outside's gradients
        assertLearned(name, 2, 1.0833333731f, y2, a(1, 2, 3, 4, 5, 0), 2.1542949677f);
    }

    private void assertLearned(String name, int bits, float s, float[] y, float[] dw, float ds) {
        int qmax = (1 << (bits - 1)) - 1;
        for (int axis : new int[] {PER_TENSOR, 0}) {
            NDArray w = weight().reshape(1, 6);
            NDArray step = array(s);
            float[] value =
                    backward(
                            w,
                            x ->
                                    kernels(name)
                                            .learnedStep(
                                                    x,
                                                    step,
                                                    -qmax - 1,
                                                    qmax,
                                                    axis,
                                                    1 / Math.sqrt(6. * qmax)),
                            step);
            assertThat(value).as(bits + " bits").containsExactly(y, within(2e-7f));
            assertThat(w.getGradient().toFloatArray()).as(bits + " bits").containsExactly(dw);
            assertThat(step.getGradient().getFloat())
                    .as(bits + " bits")
                    .isCloseTo(ds, within(2e-6f));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void learnedStep_byHand_isEq3(String name) {
        // v/s = -2.4, 0, 0.6, 10; ds/√12 = (-2+2.4) + 0 + (1-0.6) + 3, with upstream ones
        NDArray x = array(-1.2f, 0, 0.3f, 5);
        NDArray s = array(0.5f);
        x.setRequiresGradient(true);
        s.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = kernels(name).learnedStep(x, s, -4, 3, PER_TENSOR, 1 / Math.sqrt(12));
            collector.backward(y.sum());
            assertThat(y.toFloatArray()).containsExactly(-1, 0, 0.5f, 1.5f);
        }
        assertThat(x.getGradient().toFloatArray()).containsExactly(1, 1, 1, 0);
        assertThat(s.getGradient().getFloat()).isCloseTo(1.0969655514f, within(1e-6f));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void learnedStep_tooSmall_countsAsEpsilonAndCanRecover(String name) {
        NDArray x = array(1);
        NDArray s = array(-0.5f);
        float[] y = backward(x, v -> kernels(name).learnedStep(v, s, -4, 3, PER_TENSOR, 1), s);
        assertThat(y).containsExactly(3 * AffineQuantization.EPSILON);
        assertThat(s.getGradient().getFloat()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void learnedStepAndOffset_nni3Weights_givesItsNumbers(String name) {
        // NNI 3 takes the step gradient's scale 1/√(6·1)
        NDArray w = weight();
        NDArray s = array(0.3f);
        NDArray zp = array(1);
        float[] y =
                backward(
                        w,
                        x ->
                                kernels(name)
                                        .learnedStepAndOffset(
                                                x, s, zp, -1, 1, PER_TENSOR, 1 / Math.sqrt(6)),
                        s,
                        zp);
        assertThat(y).containsExactly(a(-0.6f, 0, 0, 0, -0.3f, 0), within(1e-7f));
        assertThat(w.getGradient().toFloatArray()).containsExactly(0, 0, 0, 0, 5, 0);
        assertThat(s.getGradient().getFloat()).isCloseTo(-0.8164966f, within(2e-6f));
        assertThat(zp.getGradient().getFloat()).isCloseTo(-4.8f, within(2e-6f));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void learnedStepAndOffset_negativeZeroPoint_keepsItInTheGradient(String name) {
        // v/s + z = 70 - 12 > 31: ds = qmax - z = 43. libtorch itself says 42: it rounds -12 to
        // -11.
        for (int axis : new int[] {PER_TENSOR, 0}) {
            NDArray x = manager.create(a(35), new Shape(1, 1));
            NDArray s = array(0.5f);
            NDArray zp = array(-12.2f);
            float[] y =
                    backward(
                            x,
                            v -> kernels(name).learnedStepAndOffset(v, s, zp, -31, 31, axis, 1),
                            s,
                            zp);
            assertThat(y).containsExactly(21.5f);
            assertThat(s.getGradient().getFloat()).isEqualTo(43);
            assertThat(zp.getGradient().getFloat()).isEqualTo(-0.5f);
        }
    }
}
