package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.algorithms.Points;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationScheme;

/**
 * With rounding frozen to the shift it made, LSQ is smooth in its step sizes; their gradients are
 * that function's, of every width, sign and granularity, by both kinds of kernels.
 */
class StepSizeGradientTest {

    private static final int CHANNELS = 3;
    private static final int IN_A_CHANNEL = 64;
    private static final Shape SHAPE = new Shape(CHANNELS, IN_A_CHANNEL);

    @ParameterizedTest
    @CsvSource({
        "ndarray, true, false",
        "ndarray, true, true",
        "ndarray, false, false",
        "ndarray, false, true",
        "fused, true, false",
        "fused, true, true",
        "fused, false, false",
        "fused, false, true"
    })
    void gradients_areThoseOfTheSmoothPart(String kernels, boolean signed, boolean perChannel) {
        for (int bits = 2; bits <= 8; bits++) {
            for (int seed = 0; seed < 3; seed++) {
                assertGradients(kernels, signed, perChannel, bits, seed);
            }
        }
    }

    private static void assertGradients(
            String kernels, boolean signed, boolean perChannel, int bits, int seed) {
        Random random = new Random(seed);
        float[] x = new float[CHANNELS * IN_A_CHANNEL];
        float[] upstream = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
            upstream[i] = (float) random.nextGaussian();
        }
        int qmin = signed ? -(1 << (bits - 1)) : 0;
        int qmax = signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
        float[] sizes = new float[perChannel ? CHANNELS : 1];
        for (int c = 0; c < sizes.length; c++) {
            // some of the values are outside
            sizes[c] = (.8f + random.nextFloat()) / qmax;
        }
        int each = x.length / sizes.length;
        float[] found = found(kernels, signed, bits, sizes, x, upstream);
        for (int c = 0; c < sizes.length; c++) {
            double s = sizes[c];
            double slope = 0;
            for (int i = c * each; i < (c + 1) * each; i++) {
                double h = s * 1e-4;
                slope +=
                        upstream[i]
                                * (smooth(x[i], s, s + h, qmin, qmax)
                                        - smooth(x[i], s, s - h, qmin, qmax))
                                / (2 * h);
            }
            double expected = slope / Math.sqrt((double) each * qmax);
            // float32 sums of up to 192 products, each of up to 255, against double
            assertThat((double) found[c])
                    .as("channel %d, %d bits, seed %d", c, bits, seed)
                    .isCloseTo(expected, within(2e-4));
        }
    }

    private static float[] found(
            String kernels, boolean signed, int bits, float[] sizes, float[] x, float[] upstream) {
        boolean perChannel = sizes.length > 1;
        QuantizationPoint point =
                Points.point(
                        QuantType.WEIGHT,
                        bits,
                        QuantizationDtype.UINT,
                        perChannel
                                ? QuantizationScheme.PER_CHANNEL_SYMMETRIC
                                : QuantizationScheme.PER_TENSOR_SYMMETRIC,
                        Map.of());
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        Points.quantizer(
                                "lsq",
                                point,
                                manager,
                                QuantizationKernels.create(kernels, manager))) {
            quantizer.load(
                    new QuantizerState(
                            Map.of("step_size", sizes),
                            Map.of("signed", signed ? 1L : 0L, "axis", 0L)));
            return Points.train(quantizer, x, SHAPE, upstream).learned().get(0);
        }
    }

    /** The quantized value at s, rounding and clipping as at s0. */
    private static double smooth(float x, double s0, double s, int qmin, int qmax) {
        double v = x / s0;
        // in float32, as kernels see it
        double shift = Math.rint(x / (float) s0) - v;
        return (v < qmin ? qmin : v > qmax ? qmax : x / s + shift) * s;
    }
}
