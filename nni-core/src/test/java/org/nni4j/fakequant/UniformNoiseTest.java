package org.nni4j.fakequant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UniformNoiseTest {

    private static final int SIZE = 20_000;
    private static final float BOUND = 0.25f;

    /** Four and a half standard deviations, which one of 150,000 right tests exceeds. */
    private static final double DEVIATIONS = 4.5;

    @Test
    void draw_isUniformWithinTheBound() {
        float[] values = draw(new UniformNoise(1, "weight"));
        double mean = 0;
        double square = 0;
        int[] tenths = new int[10];
        for (float value : values) {
            assertThat(value).isGreaterThanOrEqualTo(-BOUND).isLessThan(BOUND);
            mean += value / SIZE;
            square += (double) value * value / SIZE;
            tenths[(int) ((value / BOUND + 1) * 5)]++;
        }
        // Of a uniform variable in ±b: variance b² / 3, variance of the square 4 b⁴ / 45.
        double b = BOUND;
        assertThat(mean).isCloseTo(0, within(DEVIATIONS * b / Math.sqrt(3.0 * SIZE)));
        assertThat(square)
                .isCloseTo(b * b / 3, within(DEVIATIONS * b * b * Math.sqrt(4.0 / 45 / SIZE)));
        for (int count : tenths) {
            assertThat((double) count)
                    .isCloseTo(SIZE * .1, within(DEVIATIONS * Math.sqrt(SIZE * .1 * .9)));
        }
    }

    @Test
    void draw_byDraw_isIndependent() {
        UniformNoise noise = new UniformNoise(1, "weight");
        assertIndependent(List.of(draw(noise), draw(noise), draw(noise), draw(noise)));
    }

    @Test
    void draw_ofOtherTensorsAndRuns_isIndependent() {
        List<float[]> first = new ArrayList<>();
        // "Aa" and "BB" have the same String.hashCode().
        for (String tensor : List.of("weight", "weighu", "xeight", "layer Aa", "layer BB", "")) {
            first.add(draw(new UniformNoise(1, tensor)));
        }
        first.add(draw(new UniformNoise(2, "weight")));
        first.add(draw(new UniformNoise(-1, "weight")));
        assertIndependent(first);
    }

    /** Neither equal nor moved by a few places: at each lag the products' mean is near 0. */
    private static void assertIndependent(List<float[]> draws) {
        // A product of two such variables has mean 0 and deviation b² / 3.
        double slack = DEVIATIONS * BOUND * BOUND / 3 / Math.sqrt(SIZE - 3);
        for (int i = 0; i < draws.size(); i++) {
            for (int j = 0; j <= i; j++) {
                for (int lag = i == j ? 1 : -3; lag <= 3; lag++) {
                    assertThat(meanProduct(draws.get(i), draws.get(j), lag))
                            .as("draws %d and %d, %d places apart", i, j, lag)
                            .isCloseTo(0, within(slack));
                }
            }
        }
    }

    private static double meanProduct(float[] a, float[] b, int lag) {
        double sum = 0;
        for (int i = 3; i < SIZE - 3; i++) {
            sum += (double) a[i] * b[i + lag];
        }
        return sum / (SIZE - 6);
    }

    @Test
    void load_ofState_drawsWhatWouldHaveBeenDrawn() {
        UniformNoise noise = new UniformNoise(7, "weight");
        draw(noise);
        UniformNoise resumed = new UniformNoise(7, "weight");
        resumed.load(noise.state());
        assertThat(draw(resumed)).isEqualTo(draw(noise)).isEqualTo(secondDraw(7, "weight"));
        assertThat(draw(resumed)).isEqualTo(draw(noise));
    }

    private static float[] secondDraw(long seed, String tensor) {
        UniformNoise noise = new UniformNoise(seed, tensor);
        draw(noise);
        return draw(noise);
    }

    @Test
    void load_withoutDraws_throws() {
        QuantizerState empty = new QuantizerState(Map.of(), Map.of());
        assertThatThrownBy(() -> new UniformNoise(1, "weight").load(empty))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("quantizer state \"draws\" is missing");
    }

    @Test
    void draw_hasTheTensorsShapeAndType() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray tensor = manager.zeros(new Shape(2, 3), DataType.FLOAT64);
            NDArray drawn = new UniformNoise(1, "weight").draw(tensor, 1);
            assertThat(drawn.getShape()).isEqualTo(tensor.getShape());
            assertThat(drawn.getDataType()).isEqualTo(DataType.FLOAT64);
            assertThat(drawn.getManager()).isSameAs(tensor.getManager());
        }
    }

    private static float[] draw(UniformNoise noise) {
        try (NDManager manager = NDManager.newBaseManager()) {
            return noise.draw(manager.zeros(new Shape(SIZE)), BOUND).toFloatArray();
        }
    }
}
