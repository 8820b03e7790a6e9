package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/**
 * What the quantizers of every algorithm on the class path promise, without a network around them.
 */
class TensorQuantizerContractTest {

    /**
     * Each algorithm with each quant type and scheme it supports, at its smallest and its largest
     * width; and at one width with other settings.
     */
    static Stream<Arguments> points() {
        List<Arguments> points = new ArrayList<>();
        for (String name : Algorithms.available()) {
            QuantizationAlgorithm algorithm = Algorithms.find(name);
            algorithm
                    .capabilities()
                    .bits()
                    .forEach(
                            (type, range) -> {
                                for (QuantizationScheme scheme : schemes(algorithm, type)) {
                                    points.add(
                                            new Arguments(
                                                    name, type, range.min(), scheme, Map.of()));
                                    points.add(
                                            new Arguments(
                                                    name, type, range.max(), scheme, Map.of()));
                                }
                            });
        }
        Variant.set().stream()
                .filter(TensorQuantizerContractTest::isAlone)
                .forEach(variant -> variant.types().forEach(type -> points.add(of(variant, type))));
        return points.stream().distinct();
    }

    /** A gradient that is quantized stops, and goes on in a network only. */
    private static boolean isAlone(Variant variant) {
        return !variant.settings().containsKey("output_gradient");
    }

    private static Arguments of(Variant variant, QuantType type) {
        QuantizationAlgorithm algorithm = Algorithms.find(variant.algorithm());
        BitRange range =
                java.util.Objects.requireNonNull(algorithm.capabilities().bits().get(type));
        int bits = Math.min(Math.max(4, range.min()), range.max());
        QuantizationScheme scheme =
                variant.scheme()
                        .or(() -> algorithm.defaultScheme(type))
                        .orElse(QuantizationScheme.PER_TENSOR_SYMMETRIC);
        return new Arguments(variant.algorithm(), type, bits, scheme, variant.settings());
    }

    private static Set<QuantizationScheme> schemes(
            QuantizationAlgorithm algorithm, QuantType type) {
        Set<QuantizationScheme> selectable = new TreeSet<>(algorithm.capabilities().schemes());
        selectable.removeIf(scheme -> !accepts(algorithm, type, scheme));
        return selectable.isEmpty()
                ? Set.of(
                        algorithm
                                .defaultScheme(type)
                                .orElse(QuantizationScheme.PER_TENSOR_SYMMETRIC))
                : selectable;
    }

    /** An algorithm may support a scheme for weights, say, and not for inputs. */
    private static boolean accepts(
            QuantizationAlgorithm algorithm, QuantType type, QuantizationScheme scheme) {
        BitRange range =
                java.util.Objects.requireNonNull(algorithm.capabilities().bits().get(type));
        QuantizationDtype dtype = algorithm.defaultDtype(type).orElse(QuantizationDtype.INT);
        try {
            algorithm.check(Points.point(type, range.max(), dtype, scheme, Map.of()));
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    record Arguments(
            String algorithm,
            QuantType type,
            int bits,
            QuantizationScheme scheme,
            Map<String, Object> settings) {

        TensorQuantizer quantizer(NDManager manager) {
            QuantizationDtype dtype =
                    Algorithms.find(algorithm).defaultDtype(type).orElse(QuantizationDtype.INT);
            return Points.quantizer(
                    algorithm, Points.point(type, bits, dtype, scheme, settings), manager);
        }
    }

    @ParameterizedTest
    @MethodSource("points")
    void zeros_everywhere_stayZeroOrFinite(Arguments point) {
        Shape shape = new Shape(2, 3, 4);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = point.quantizer(manager)) {
            if (trains(point.algorithm())) {
                Points.Pass pass =
                        Points.train(quantizer, new float[24], shape, Values.gaussian(1, 24));
                Values.assertFinite(pass.output());
                Values.assertFinite(pass.gradient());
                pass.learned().forEach(Values::assertFinite);
            }
            Values.assertFinite(Points.evaluate(quantizer, new float[24], shape));
        }
    }

    @ParameterizedTest
    @MethodSource("points")
    void learnedParameters_getGradients(Arguments point) {
        Shape shape = new Shape(2, 3, 4);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = point.quantizer(manager)) {
            if (!quantizer.learnedParameters().isEmpty()) {
                float[] large = Values.gaussian(2, 24);
                for (int i = 0; i < large.length; i++) {
                    large[i] *= 20;
                }
                Points.train(quantizer, Values.gaussian(1, 24), shape, Values.gaussian(3, 24));
                Points.Pass pass = Points.train(quantizer, large, shape, Values.gaussian(3, 24));
                assertThat(pass.learned()).hasSameSizeAs(quantizer.learnedParameters());
                for (float[] gradient : pass.learned()) {
                    Values.assertFinite(gradient);
                    assertThat(gradient).isNotEqualTo(new float[gradient.length]);
                }
            }
        }
    }

    /** What an update made NaN or infinite must be seen, and not become some number. */
    @ParameterizedTest
    @MethodSource("points")
    void afterUpdate_ofNanOrInfinity_leavesIt(Arguments point) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = point.quantizer(manager)) {
            see(point, quantizer, Values.gaussian(1, 24), new Shape(2, 3, 4));
            for (Parameter learned : quantizer.learnedParameters()) {
                NDArray value = learned.getArray();
                for (float update :
                        new float[] {Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY}) {
                    quantizer.beforeUpdate(learned, value, value.zerosLike());
                    float[] updated = new float[(int) value.size()];
                    updated[updated.length - 1] = update;
                    value.set(updated);
                    quantizer.afterUpdate(learned, value);
                    assertThat(value.toFloatArray()[updated.length - 1])
                            .isEqualTo(Float.valueOf(update));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("points")
    void load_ofState_goesOnTheSame(Arguments point) {
        Shape shape = new Shape(2, 3, 4);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = point.quantizer(manager);
                TensorQuantizer resumed = point.quantizer(manager)) {
            see(point, quantizer, Values.gaussian(1, 24), shape);
            see(point, resumed, Values.gaussian(2, 24), shape);
            resumed.load(quantizer.state());
            Values.assertSame(resumed.state(), quantizer.state());
            see(point, quantizer, Values.gaussian(3, 24), shape);
            see(point, resumed, Values.gaussian(3, 24), shape);
            Values.assertSame(resumed.state(), quantizer.state());
            assertThat(Points.evaluate(resumed, Values.gaussian(4, 24), shape))
                    .isEqualTo(Points.evaluate(quantizer, Values.gaussian(4, 24), shape));
        }
    }

    /** A checkpoint that was just loaded can be exported before any forward. */
    @ParameterizedTest
    @MethodSource("points")
    void calibration_ofAFreshQuantizerWithLoadedState_isTheSame(Arguments point) {
        Shape shape = new Shape(2, 3, 4);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = point.quantizer(manager);
                TensorQuantizer fresh = point.quantizer(manager)) {
            see(point, quantizer, Values.gaussian(1, 24), shape);
            fresh.load(quantizer.state());
            Values.assertSame(fresh.state(), quantizer.state());
            if (point.type() == QuantType.WEIGHT) {
                Points.describe(quantizer, Values.gaussian(2, 24), shape);
                Points.describe(fresh, Values.gaussian(2, 24), shape);
            }
            assertThat(fresh.calibration()).isEqualTo(quantizer.calibration());
        }
    }

    @ParameterizedTest
    @MethodSource("points")
    void load_ofStateBeforeAnyData_isAsNew(Arguments point) {
        Shape shape = new Shape(2, 3, 4);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer fresh = point.quantizer(manager);
                TensorQuantizer back = point.quantizer(manager)) {
            QuantizerState before = back.state();
            see(point, back, Values.gaussian(1, 24), shape);
            back.load(before);
            Values.assertSame(back.state(), before);
            see(point, fresh, Values.gaussian(2, 24), shape);
            see(point, back, Values.gaussian(2, 24), shape);
            Values.assertSame(back.state(), fresh.state());
            assertThat(Points.evaluate(back, Values.gaussian(4, 24), shape))
                    .isEqualTo(Points.evaluate(fresh, Values.gaussian(4, 24), shape));
        }
    }

    @ParameterizedTest
    @MethodSource("points")
    void evaluation_changesNothing(Arguments point) {
        Shape shape = new Shape(2, 3, 4);
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = point.quantizer(manager)) {
            see(point, quantizer, Values.gaussian(1, 24), shape);
            quantizer.calibration();
            QuantizerState before = quantizer.state();
            float[] first = Points.evaluate(quantizer, Values.gaussian(2, 24), shape);
            float[] wide = Values.gaussian(3, 24);
            wide[0] = 100;
            Points.evaluate(quantizer, wide, shape);
            assertThat(Points.evaluate(quantizer, Values.gaussian(2, 24), shape)).isEqualTo(first);
            Values.assertSame(quantizer.state(), before);
        }
    }

    /** Shows a quantizer data in the mode it learns from. */
    private static void see(Arguments point, TensorQuantizer quantizer, float[] data, Shape shape) {
        if (trains(point.algorithm())) {
            Points.train(quantizer, data, shape, data);
        } else if (point.type() == QuantType.WEIGHT) {
            Points.describe(quantizer, data, shape);
        } else {
            Points.evaluate(quantizer, data, shape);
        }
    }

    private static boolean trains(String algorithm) {
        return Algorithms.find(algorithm).capabilities().needsOptimizer();
    }
}
