package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithms.Points;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;

/** Learned offsets. */
class LsqPlusTest {

    private static final int N = 64;

    /**
     * With rounding frozen to the shift it made, LSQ+ is smooth in step size and zero point; its
     * gradients are that function's.
     */
    @Test
    void gradients_areThoseOfTheSmoothPart() {
        for (int seed = 0; seed < 10; seed++) {
            Random random = new Random(seed);
            float[] x = new float[N];
            float[] upstream = new float[N];
            for (int i = 0; i < N; i++) {
                x[i] = (float) random.nextGaussian();
                upstream[i] = (float) random.nextGaussian();
            }
            int qmax = (1 << (2 + random.nextInt(4))) - 1;
            float s = (1 + random.nextFloat()) / qmax;
            int z = 1 + random.nextInt(qmax - 1);
            try (NDManager manager = NDManager.newBaseManager();
                    TensorQuantizer quantizer = quantizer(qmax, manager)) {
                quantizer.load(
                        new QuantizerState(
                                Map.of("step_size", new float[] {s}, "zero_point", new float[] {z}),
                                Map.of()));
                Points.Pass pass = Points.train(quantizer, x, new Shape(N), upstream);
                double h = 1e-7;
                double byStep =
                        (smooth(x, upstream, s, z, s + h, z, qmax)
                                        - smooth(x, upstream, s, z, s - h, z, qmax))
                                / (2 * h)
                                / Math.sqrt((double) N * qmax);
                double byZero =
                        (smooth(x, upstream, s, z, s, z + h, qmax)
                                        - smooth(x, upstream, s, z, s, z - h, qmax))
                                / (2 * h);
                // float32 sums of 64 products against double
                assertThat((double) pass.learned().get(0)[0])
                        .as("step size, seed %d", seed)
                        .isCloseTo(byStep, within(1e-4));
                assertThat((double) pass.learned().get(1)[0])
                        .as("zero point, seed %d", seed)
                        .isCloseTo(byZero, within(1e-4));
            }
        }
    }

    /** {@code (clip(x/s + shift + z, 0, qmax) - z) · s}; where it clips is decided at s0 and z0. */
    private static double smooth(
            float[] x, float[] upstream, double s0, double z0, double s, double z, int qmax) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            double v = x[i] / s0;
            double shift = Math.rint(v) - v;
            double value = v + z0 < 0 ? -z : v + z0 > qmax ? qmax - z : x[i] / s + shift;
            sum += upstream[i] * value * s;
        }
        return sum;
    }

    @Test
    void stepSize_underAHugeUpdate_staysPositiveAndTheZeroPointIsFree() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(15, manager)) {
            float[] x = {-1, -.5f, .5f, 2};
            Points.train(quantizer, x, new Shape(4), x);
            Parameter stepSize = quantizer.learnedParameters().get(0);
            Parameter zeroPoint = quantizer.learnedParameters().get(1);
            float before = stepSize.getArray().toFloatArray()[0];
            update(quantizer, stepSize, -5);
            update(quantizer, zeroPoint, -5);
            assertThat(stepSize.getArray().toFloatArray()[0]).isEqualTo(before / 2);
            assertThat(zeroPoint.getArray().toFloatArray()[0]).isEqualTo(-5);
            // it counts as the nearest integer of the type
            assertThat(quantizer.calibration().orElseThrow().parameters().zeroPoint())
                    .containsExactly(0);
        }
    }

    /** Channel 1 of 3 is all zeros at first, as a channel behind a ReLU can be. */
    @Test
    void channelOfZeros_inTheFirstBatch_beginsWithTheOthersMean() {
        float[] first = {-1, 2, 0, 0, -2, 4};
        float[] next = {-1, 2, -1, 2, -2, 4};
        float[] ones = {1, 1, 1, 1, 1, 1};
        Shape shape = new Shape(1, 3, 2);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "lsq",
                                Points.point(
                                        QuantType.INPUT,
                                        8,
                                        QuantizationDtype.UINT,
                                        QuantizationScheme.PER_CHANNEL_AFFINE,
                                        Map.of()),
                                manager)) {
            assertThat(Points.train(quantizer, first, shape, ones).output()[2]).isZero();
            QuantizationParameters parameters = quantizer.calibration().orElseThrow().parameters();
            float[] scale = parameters.scale();
            assertThat(scale[1]).isCloseTo((scale[0] + scale[2]) / 2, withinPercentage(1e-3));
            assertThat(parameters.zeroPoint()[1]).isEqualTo(parameters.zeroPoint()[0]);
            Points.Pass pass = Points.train(quantizer, next, shape, ones);
            assertThat(pass.output()[2]).isCloseTo(-1, within(scale[1]));
            assertThat(pass.output()[3]).isCloseTo(2, within(scale[1]));
            assertThat(pass.gradient()).containsExactly(ones);
        }
    }

    private static void update(TensorQuantizer quantizer, Parameter learned, float value) {
        NDArray array = learned.getArray();
        quantizer.beforeUpdate(learned, array, array);
        array.set(new float[] {value});
        quantizer.afterUpdate(learned, array);
    }

    private static TensorQuantizer quantizer(int qmax, NDManager manager) {
        return Points.quantizer(
                "lsq",
                Points.point(
                        QuantType.INPUT,
                        Integer.bitCount(qmax),
                        QuantizationDtype.UINT,
                        QuantizationScheme.PER_TENSOR_AFFINE,
                        Map.of()),
                manager);
    }
}
