package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;

/**
 * Tensors at the ends of what float32 holds, through every algorithm on the class path, forward and
 * backward; docs/reliability.md lists the outcomes.
 */
class NumericalEdgesTest {

    private static final Shape SHAPE = new Shape(2, 3, 4);
    private static final int SIZE = 24;

    /** Where the NaN or the infinite value stands: in the second channel. */
    private static final int PLACE = 5;

    /** Sums over a tensor, for instance of magnitudes, must not overflow float32. */
    private static final float HUGE = 1e36f;

    /** One tensor for one quantizer. */
    record Edge(String algorithm, QuantType type, int bits, String name, float[] tensor) {

        @Override
        public String toString() {
            return algorithm + " " + type.key() + " " + bits + " bits, " + name;
        }

        boolean trains() {
            return Algorithms.find(algorithm).capabilities().needsOptimizer();
        }

        TensorQuantizer quantizer(NDManager manager) {
            return Points.quantizer(
                    algorithm, Points.point(algorithm, type, bits, Map.of()), manager);
        }
    }

    static Stream<Edge> finite() {
        return edges(
                Map.of(
                        "constant", filled(3),
                        "zeros", filled(0),
                        "negative constant", filled(-3),
                        "denormal", alternating(Float.MIN_VALUE * 100),
                        "smallest normal", alternating(Float.MIN_NORMAL),
                        "huge", alternating(HUGE)));
    }

    static Stream<Edge> notANumber() {
        return edges(Map.of("NaN", with(Float.NaN)));
    }

    static Stream<Edge> infinite() {
        return edges(
                Map.of(
                        "infinity", with(Float.POSITIVE_INFINITY),
                        "-infinity", with(Float.NEGATIVE_INFINITY)));
    }

    private static Stream<Edge> edges(Map<String, float[]> tensors) {
        List<Edge> edges = new ArrayList<>();
        for (String algorithm : Algorithms.available()) {
            Map<QuantType, BitRange> bits = Algorithms.find(algorithm).capabilities().bits();
            for (QuantType type : QuantType.values()) {
                BitRange range = bits.get(type);
                if (range != null) {
                    tensors.forEach(
                            (name, tensor) -> {
                                edges.add(new Edge(algorithm, type, range.min(), name, tensor));
                                edges.add(new Edge(algorithm, type, range.max(), name, tensor));
                            });
                }
            }
        }
        return edges.stream().distinct();
    }

    private static float[] filled(float value) {
        float[] tensor = new float[SIZE];
        Arrays.fill(tensor, value);
        return tensor;
    }

    private static float[] alternating(float value) {
        float[] tensor = filled(value);
        for (int i = 0; i < SIZE; i += 2) {
            tensor[i] = -value / (1 + i);
        }
        return tensor;
    }

    private static float[] with(float value) {
        float[] tensor = alternating(1.5f);
        tensor[PLACE] = value;
        return tensor;
    }

    private static final float[] UPSTREAM = alternating(0.5f);

    @ParameterizedTest
    @MethodSource("finite")
    void quantize_anyFiniteTensor_staysFinite(Edge edge) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = edge.quantizer(manager)) {
            if (edge.trains()) {
                for (int pass = 0; pass < 2; pass++) {
                    Points.Pass trained = Points.train(quantizer, edge.tensor(), SHAPE, UPSTREAM);
                    assertFinite(trained.output());
                    assertFinite(trained.gradient());
                }
            }
            assertFinite(Points.evaluate(quantizer, edge.tensor(), SHAPE));
            quantizer.describe(manager.create(edge.tensor(), SHAPE));
            quantizer.calibration();
            assertFinite(Points.evaluate(quantizer, edge.tensor(), SHAPE));
            // Whatever was seen before, an ordinary tensor is quantized to finite values.
            assertFinite(Points.evaluate(quantizer, alternating(1), SHAPE));
        }
    }

    /** NaN is never turned into a number: not by a clamp, not by a sign, not by a level. */
    @ParameterizedTest
    @MethodSource("notANumber")
    void quantize_nan_staysNanOrIsRefused(Edge edge) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = edge.quantizer(manager)) {
            if (edge.trains()) {
                Points.train(quantizer, alternating(1), SHAPE, UPSTREAM);
                Points.Pass trained = Points.train(quantizer, edge.tensor(), SHAPE, UPSTREAM);
                assertThat(trained.output()[PLACE]).isNaN();
                assertThat(Points.evaluate(quantizer, edge.tensor(), SHAPE)[PLACE]).isNaN();
                return;
            }
            if (edge.type() != QuantType.WEIGHT) {
                assertNanOrRefused(edge, quantizer);
            }
        }
    }

    private static void assertNanOrRefused(Edge edge, TensorQuantizer quantizer) {
        try {
            assertThat(Points.evaluate(quantizer, edge.tensor(), SHAPE)[PLACE]).isNaN();
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("layer \"layer\"").hasMessageContaining("NaN");
        }
    }

    static Stream<Edge> notANumberUntrained() {
        return notANumber().filter(edge -> !edge.trains());
    }

    @ParameterizedTest
    @MethodSource("notANumberUntrained")
    void evaluate_nanAfterCalibration_staysNanOrIsRefused(Edge edge) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = edge.quantizer(manager)) {
            Points.evaluate(quantizer, alternating(1), SHAPE);
            quantizer.describe(manager.create(alternating(1), SHAPE));
            quantizer.calibration();
            assertNanOrRefused(edge, quantizer);
        }
    }

    /**
     * An infinite value saturates, or makes the range and all that is quantized by it NaN or
     * infinite; it never becomes small.
     */
    @ParameterizedTest
    @MethodSource("infinite")
    void quantize_infinity_saturatesOrIsNanOrRefused(Edge edge) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = edge.quantizer(manager)) {
            if (!edge.trains()) {
                if (edge.type() != QuantType.WEIGHT) {
                    assertSaturatedOrRefused(edge, quantizer);
                }
                return;
            }
            Points.train(quantizer, alternating(1), SHAPE, UPSTREAM);
            float[] y = Points.train(quantizer, edge.tensor(), SHAPE, UPSTREAM).output();
            assertSaturatedOrNan(y[PLACE], edge.tensor()[PLACE]);
        }
    }

    private static void assertSaturatedOrRefused(Edge edge, TensorQuantizer quantizer) {
        try {
            float[] y = Points.evaluate(quantizer, edge.tensor(), SHAPE);
            assertSaturatedOrNan(y[PLACE], edge.tensor()[PLACE]);
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("layer \"layer\"").hasMessageContaining("Infinity");
        }
    }

    private static void assertSaturatedOrNan(float quantized, float infinity) {
        if (!Float.isNaN(quantized)) {
            assertThat(Math.signum(quantized)).isIn(0f, Math.signum(infinity));
        }
    }

    private static void assertFinite(float[] values) {
        for (float value : values) {
            assertThat(Float.isFinite(value)).as(Arrays.toString(values)).isTrue();
        }
    }
}
