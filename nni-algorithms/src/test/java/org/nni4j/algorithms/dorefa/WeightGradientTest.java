package org.nni4j.algorithms.dorefa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.Points;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;

/**
 * The weight's gradient is that of eq. 9 with the rounding left out: {@code tanh(w) / max|tanh|}.
 */
class WeightGradientTest {

    private static final int N = 24;

    @ParameterizedTest
    @ValueSource(strings = {"dorefa", "pact"})
    void gradient_isTheSlopeWithoutRounding(String algorithm) {
        for (int seed = 0; seed < 10; seed++) {
            Random random = new Random(seed);
            float[] w = new float[N];
            float[] upstream = new float[N];
            for (int i = 0; i < N; i++) {
                w[i] = (float) random.nextGaussian();
                upstream[i] = (float) random.nextGaussian();
            }
            int bits = 2 + random.nextInt(7);
            float[] found;
            try (NDManager manager = NDManager.newBaseManager();
                    TensorQuantizer quantizer =
                            Points.quantizer(
                                    algorithm,
                                    Points.point(algorithm, QuantType.WEIGHT, bits, Map.of()),
                                    manager)) {
                found = Points.train(quantizer, w, new Shape(4, 6), upstream).gradient();
            }
            double h = 1e-6;
            for (int i = 0; i < N; i++) {
                double slope = (smooth(w, upstream, i, h) - smooth(w, upstream, i, -h)) / (2 * h);
                // float32 sums of 24 products, and the curvature of h squared
                assertThat((double) found[i])
                        .as("seed %d, weight %d", seed, i)
                        .isCloseTo(slope, within(1e-5));
            }
        }
    }

    private static double smooth(float[] w, float[] upstream, int moved, double by) {
        double largest = 0;
        double sum = 0;
        for (int i = 0; i < w.length; i++) {
            double t = Math.tanh(i == moved ? w[i] + by : w[i]);
            largest = Math.max(largest, Math.abs(t));
            sum += upstream[i] * t;
        }
        return sum / largest;
    }
}
