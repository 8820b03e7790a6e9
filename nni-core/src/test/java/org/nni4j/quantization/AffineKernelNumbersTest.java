package org.nni4j.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.nni4j.quantization.QuantizationDtype.INT;
import static org.nni4j.quantization.QuantizationDtype.UINT;
import static org.nni4j.quantization.QuantizationParameters.PER_TENSOR;
import static org.nni4j.quantization.QuantizationScheme.PER_CHANNEL_AFFINE;
import static org.nni4j.quantization.QuantizationScheme.PER_CHANNEL_SYMMETRIC;
import static org.nni4j.quantization.QuantizationScheme.PER_TENSOR_AFFINE;
import static org.nni4j.quantization.QuantizationScheme.PER_TENSOR_SYMMETRIC;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges, scales and fake-quantized values of each implementation. */
class AffineKernelNumbersTest extends KernelNumbers {

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void observe_nniWeights_givesNnisNumbers(String name) {
        assertWeight(
                name,
                8,
                INT,
                PER_TENSOR_AFFINE,
                a(0.008661416f),
                z(-23),
                -0.9007873f,
                0.2511811f,
                0.3984252f,
                0.103937f,
                -0.3031496f,
                1.2992125f);
        assertWeight(
                name,
                8,
                UINT,
                PER_TENSOR_AFFINE,
                a(0.00862745f),
                z(104),
                -0.8972548f,
                0.250196f,
                0.3968627f,
                0.1035294f,
                -0.3019608f,
                1.302745f);
        assertWeight(
                name,
                8,
                INT,
                PER_TENSOR_SYMMETRIC,
                a(0.01023622f),
                z(0),
                -0.9007874f,
                0.2456693f,
                0.3992126f,
                0.1023622f,
                -0.2968504f,
                1.3f);
        // 1.3 / s is a tie, 127.5: NNI rounds 127.5 + 127 down, to 1.2949018; ONNX rounds 127.5 up.
        assertWeight(
                name,
                8,
                UINT,
                PER_TENSOR_SYMMETRIC,
                a(0.010196078f),
                z(127),
                -0.8972548f,
                0.2549019f,
                0.397647f,
                0.1019608f,
                -0.2956862f,
                1.3050979f);
        assertWeight(
                name,
                8,
                INT,
                PER_CHANNEL_AFFINE,
                a(0.00511811f, 0.006299212f),
                z(49, -79),
                -0.9007874f,
                0.2507874f,
                0.3992126f,
                0.1007874f,
                -0.3023622f,
                1.2976377f);
        assertWeight(
                name,
                8,
                UINT,
                PER_CHANNEL_AFFINE,
                a(0.005098039f, 0.006274509f),
                z(177, 48),
                -0.9023529f,
                0.2498039f,
                0.397647f,
                0.1003921f,
                -0.3011764f,
                1.2988234f);
        assertWeight(
                name,
                8,
                INT,
                PER_CHANNEL_SYMMETRIC,
                a(0.007086614f, 0.01023622f),
                z(0, 0),
                -0.9f,
                0.2480315f,
                0.3968504f,
                0.1023622f,
                -0.2968504f,
                1.3f);
        assertWeight(
                name,
                8,
                UINT,
                PER_CHANNEL_SYMMETRIC,
                a(0.007058823f, 0.010196078f),
                z(127, 127),
                -0.8964706f,
                0.2470588f,
                0.4023529f,
                0.1019608f,
                -0.2956862f,
                1.3050979f);
        assertWeight(
                name,
                4,
                INT,
                PER_TENSOR_AFFINE,
                a(0.157142848f),
                z(-1),
                -0.9428571f,
                0.3142857f,
                0.4714285f,
                0.1571428f,
                -0.3142857f,
                1.2571428f);
        assertWeight(
                name,
                4,
                UINT,
                PER_TENSOR_AFFINE,
                a(0.146666661f),
                z(6),
                -0.88f,
                0.2933333f,
                0.44f,
                0.1466667f,
                -0.2933333f,
                1.3199999f);
        assertWeight(
                name,
                4,
                INT,
                PER_CHANNEL_SYMMETRIC,
                a(0.128571421f, 0.185714275f),
                z(0, 0),
                -0.9f,
                0.2571428f,
                0.3857143f,
                0.1857143f,
                -0.3714285f,
                1.3f);
        assertWeight(
                name,
                2,
                INT,
                PER_TENSOR_AFFINE,
                a(1.099999905f),
                z(0),
                -1.0999999f,
                0,
                0,
                0,
                0,
                1.0999999f);
        assertWeight(
                name,
                2,
                UINT,
                PER_TENSOR_AFFINE,
                a(0.73333329f),
                z(1),
                -0.7333333f,
                0,
                0.7333333f,
                0,
                0,
                1.4666666f);
        assertWeight(
                name,
                2,
                INT,
                PER_CHANNEL_SYMMETRIC,
                a(0.899999976f, 1.299999952f),
                z(0, 0),
                -0.9f,
                0,
                0,
                0,
                0,
                1.3f);
        assertWeight(
                name,
                2,
                UINT,
                PER_CHANNEL_SYMMETRIC,
                a(0.599999964f, 0.866666615f),
                z(1, 1),
                -0.6f,
                0,
                0.6f,
                0,
                0,
                2 * 0.866666615f); // a tie, 1.5
    }

    private static int[] z(int... values) {
        return values;
    }

    private void assertWeight(
            String name,
            int bits,
            QuantizationDtype dtype,
            QuantizationScheme scheme,
            float[] scale,
            int[] zeroPoint,
            float... expected) {
        QuantizedType type = new QuantizedType(bits, dtype);
        int axis = scheme.isPerChannel() ? 0 : PER_TENSOR;
        NDArray w = weight();
        QuantizationKernels.Observed[] observed = new QuantizationKernels.Observed[1];
        float[] y =
                backward(
                        w,
                        x -> {
                            observed[0] = kernels(name).observe(x, type, scheme, axis);
                            return observed[0].value();
                        });
        String where = type + " " + scheme;
        // The expected numbers are printed to 7 or 8 digits.
        assertThat(y).as(where).containsExactly(expected, within(2e-7f));
        assertThat(observed[0].scale().toFloatArray())
                .as(where)
                .containsExactly(scale, within(1e-8f));
        assertThat(observed[0].zeroPoint().toIntArray()).as(where).containsExactly(zeroPoint);
        assertThat(w.getGradient().toFloatArray()).as(where).containsExactly(UPSTREAM);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void observe_nniRamp_givesExactScales(String name) {
        NDArray w = manager.arange(1f, 19f).reshape(2, 1, 3, 3);
        NDArray x = manager.arange(16f).reshape(1, 1, 4, 4);
        assertScales(name, w, 0, INT, PER_CHANNEL_SYMMETRIC, a(9 / 127f, 18 / 127f), z(0, 0));
        assertScales(
                name, w, 0, UINT, PER_CHANNEL_SYMMETRIC, a(9 / 127.5f, 18 / 127.5f), z(127, 127));
        assertScales(name, w, -1, INT, PER_TENSOR_SYMMETRIC, a(18 / 127f), z(0));
        assertScales(name, w, -1, UINT, PER_TENSOR_SYMMETRIC, a(18 / 127.5f), z(127));
        assertScales(name, w, 0, INT, PER_CHANNEL_AFFINE, a(9 / 254f, 18 / 254f), z(-127, -127));
        assertScales(name, w, 0, UINT, PER_CHANNEL_AFFINE, a(9 / 255f, 18 / 255f), z(0, 0));
        assertScales(name, w, -1, INT, PER_TENSOR_AFFINE, a(18 / 254f), z(-127));
        assertScales(name, w, -1, UINT, PER_TENSOR_AFFINE, a(18 / 255f), z(0));
        assertScales(name, x, 1, INT, PER_CHANNEL_SYMMETRIC, a(15 / 127f), z(0));
        assertScales(name, x, 1, UINT, PER_CHANNEL_AFFINE, a(15 / 255f), z(0));
        assertScales(name, x, -1, INT, PER_TENSOR_AFFINE, a(15 / 254f), z(-127));
        assertScales(name, x, -1, UINT, PER_TENSOR_SYMMETRIC, a(15 / 127.5f), z(127));
    }

    private void assertScales(
            String name,
            NDArray x,
            int axis,
            QuantizationDtype dtype,
            QuantizationScheme scheme,
            float[] scale,
            int[] zeroPoint) {
        QuantizedType type = new QuantizedType(8, dtype);
        QuantizationKernels.Observed o = kernels(name).observe(x, type, scheme, axis);
        assertThat(o.scale().toFloatArray()).containsExactly(scale);
        assertThat(o.zeroPoint().toIntArray()).containsExactly(zeroPoint);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void observe_nniInputs_tracksAndClipsAsNni(String name) {
        QuantizationKernels k = kernels(name);
        QuantizedType type = new QuantizedType(8, UINT);
        NDArray first = array(-1, 0.5f, 2);
        QuantizationKernels.Observed o =
                k.observe(first, array(0), array(0), 0, type, PER_TENSOR_AFFINE, PER_TENSOR);
        assertTracked(o, -1, 2, 0.0117647061f, 85);
        assertThat(o.value().toFloatArray()).startsWith(-1f);
        // 0.5 / s is a tie, 42.5: NNI rounds 42.5 + 85 up, to 0.50588238; ONNX rounds 42.5 down.
        assertThat(o.value().toFloatArray()[1]).isCloseTo(0.49411765f, within(1e-7f));
        NDArray second = array(-3, 0.5f, 4);
        NDArray min = o.min();
        NDArray max = o.max();
        float[] y =
                backward(
                        second,
                        x ->
                                k.observe(x, min, max, 0.99, type, PER_TENSOR_AFFINE, PER_TENSOR)
                                        .value());
        assertThat(y[0]).isCloseTo(-1.02525496f, within(2e-7f));
        assertThat(y[1]).isCloseTo(0.50070590f, within(2e-7f));
        // -3 is below and 4 above the range tracked so far
        assertThat(second.getGradient().toFloatArray()).containsExactly(0, 2, 0);
        o = k.observe(second, min, max, 0.99, type, PER_TENSOR_AFFINE, PER_TENSOR);
        assertTracked(o, -1.01999998f, 2.01999998f, 0.0119215688f, 86);
        o = k.observe(array(0, 1, 10), o.min(), o.max(), 0.99, type, PER_TENSOR_AFFINE, PER_TENSOR);
        assertTracked(o, -1.00979996f, 2.09979987f, 0.0121945087f, 83);
        o =
                k.observe(
                        array(-1, .1f, .2f),
                        o.min(),
                        o.max(),
                        0.99,
                        type,
                        PER_TENSOR_AFFINE,
                        PER_TENSOR);
        assertTracked(o, -1.00970197f, 2.08080196f, 0.0121196229f, 83);
        NDArray eval = k.quantizeDequantize(first, o.scale(), o.zeroPoint(), 0, 255, PER_TENSOR);
        assertThat(eval.toFloatArray()[0]).isCloseTo(-1.00592875f, within(2e-7f));
        assertThat(eval.toFloatArray()[1]).isCloseTo(0.49690455f, within(2e-7f));
    }

    private static void assertTracked(
            QuantizationKernels.Observed o, float min, float max, float scale, int zeroPoint) {
        assertThat(o.min().getFloat()).isCloseTo(min, within(2e-7f));
        assertThat(o.max().getFloat()).isCloseTo(max, within(4e-7f));
        assertThat(o.scale().getFloat()).isCloseTo(scale, within(2e-9f));
        assertThat(o.zeroPoint().getInt()).isEqualTo(zeroPoint);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void track_nniRelu_isExact(String name) {
        NDList range =
                kernels(name).track(array(0, 0, .1f, .2f), array(9), array(9), 0, PER_TENSOR);
        assertThat(range.get(1).getFloat()).isEqualTo(0.2f);
        range =
                kernels(name)
                        .track(
                                array(.2f, .4f, .6f, .8f),
                                range.get(0),
                                range.get(1),
                                .99,
                                PER_TENSOR);
        assertThat(range.get(0).getFloat()).isEqualTo(0.002f);
        assertThat(range.get(1).getFloat()).isEqualTo(0.2060f);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void fakeQuantize_nniMask_isTheRoundedIntegerInRange(String name) {
        NDArray x = array(-7.6f, -7.5f, -7.4f, 7.4f, 7.5f);
        backward(x, v -> kernels(name).fakeQuantize(v, array(1), manager.create(z(0)), -7, 7, -1));
        assertThat(x.getGradient().toFloatArray()).containsExactly(0, 0, 3, 4, 0);
        NDArray u = array(-0.6f, -0.5f, 15.4f, 15.5f);
        backward(u, v -> kernels(name).fakeQuantize(v, array(1), manager.create(z(0)), 0, 15, -1));
        assertThat(u.getGradient().toFloatArray()).containsExactly(0, 2, 3, 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void fakeQuantize_plainSum_doesNotChangeTheBroadcastGradient(String name) {
        NDArray x = array(-9, 1, 9);
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = kernels(name).fakeQuantize(x, array(1), manager.create(z(0)), -7, 7, -1);
            collector.backward(y.sum());
        }
        assertThat(x.getGradient().toFloatArray()).containsExactly(0, 1, 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void affineKernels_notFinite_saturateAndKeepNan(String name) {
        float[] values = {-INF, -1e30f, 1.2f, Float.NaN, 1e30f, INF, 3e38f};
        float[] expected = {-7, -7, 1, Float.NaN, 7, 7, 7};
        float[] gradient = {0, 0, 3, 0, 0, 0, 0};
        QuantizationKernels k = kernels(name);
        for (int axis : new int[] {PER_TENSOR, 0}) {
            for (DataType dataType : new DataType[] {DataType.FLOAT32, DataType.FLOAT16}) {
                NDArray x = manager.create(values, new Shape(1, 7)).toType(dataType, false);
                float[] y =
                        backward(
                                x,
                                v ->
                                        k.fakeQuantize(
                                                v, array(1), manager.create(z(0)), -7, 7, axis));
                assertThat(y).as("axis %s %s", axis, dataType).containsExactly(expected);
                assertThat(gradientBesideNan(x)).as("axis %s", axis).containsExactly(gradient);
                NDArray l = manager.create(values, new Shape(1, 7)).toType(dataType, false);
                y = backward(l, v -> k.learnedStep(v, array(1), -7, 7, axis, 1));
                assertThat(y).as("axis %s %s", axis, dataType).containsExactly(expected);
                assertThat(gradientBesideNan(l)).as("axis %s", axis).containsExactly(gradient);
                NDArray e = manager.create(values, new Shape(1, 7)).toType(dataType, false);
                assertThat(
                                floats(
                                        k.quantizeDequantize(
                                                e, array(1), manager.create(z(0)), -7, 7, axis)))
                        .as("axis %s %s", axis, dataType)
                        .containsExactly(expected);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void observe_notFinite_isNanThroughout(String name) {
        for (float bad : new float[] {Float.NaN, INF, -INF}) {
            for (QuantizationScheme scheme : QuantizationScheme.values()) {
                NDArray x = manager.create(new float[] {1, bad, 2, 3}, new Shape(1, 4));
                QuantizationKernels.Observed o =
                        kernels(name)
                                .observe(
                                        x,
                                        new QuantizedType(8, UINT),
                                        scheme,
                                        scheme.isPerChannel() ? 0 : PER_TENSOR);
                assertThat(o.scale().toFloatArray()).as(bad + " " + scheme).containsOnly(Float.NaN);
                assertThat(o.value().toFloatArray()).as(bad + " " + scheme).containsOnly(Float.NaN);
                NDArray value =
                        kernels(name)
                                .quantizeByOwnRange(
                                        x,
                                        new QuantizedType(8, UINT),
                                        scheme,
                                        scheme.isPerChannel() ? 0 : PER_TENSOR);
                assertThat(value.toFloatArray()).as(bad + " " + scheme).containsOnly(Float.NaN);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndarray", "fused"})
    void observe_constant_isFinite(String name) {
        for (float c : new float[] {0, Float.MIN_VALUE, -1e-30f, 5}) {
            for (QuantizationScheme scheme : QuantizationScheme.values()) {
                for (QuantizationDtype dtype : QuantizationDtype.values()) {
                    NDArray x = manager.full(new Shape(2, 2), c);
                    QuantizationKernels.Observed o =
                            kernels(name)
                                    .observe(
                                            x,
                                            new QuantizedType(8, dtype),
                                            scheme,
                                            scheme.isPerChannel() ? 0 : PER_TENSOR);
                    for (float v : o.value().toFloatArray()) {
                        // Half the smallest step, or half a step of uint8's lopsided symmetric
                        // range.
                        assertThat(v)
                                .as(c + " " + scheme + " " + dtype)
                                .isCloseTo(c, within(0.021f));
                    }
                }
            }
        }
    }
}
