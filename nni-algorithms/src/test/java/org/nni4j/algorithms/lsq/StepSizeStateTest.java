package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nni4j.algorithms.Points;
import org.nni4j.algorithms.Values;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/** Which states are taken back. */
class StepSizeStateTest {

    private static final float[] X = {-.9f, .25f, .4f, .1f, -.3f, 1.3f};
    private static final Shape SHAPE = new Shape(2, 3);

    private static TensorQuantizer quantizer(QuantizationScheme scheme, NDManager manager) {
        return Points.quantizer(
                "lsq",
                Points.point(QuantType.INPUT, 4, QuantizationDtype.UINT, scheme, Map.of()),
                manager);
    }

    private static QuantizerState state(float[] sizes, float... zeroPoints) {
        return new QuantizerState(
                Map.of("step_size", sizes, "zero_point", zeroPoints), Map.of("signed", 1L));
    }

    private static void assertRefused(
            QuantizationScheme scheme, QuantizerState state, String message) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer fresh = quantizer(scheme, manager);
                TensorQuantizer trained = quantizer(scheme, manager)) {
            Points.train(trained, X, SHAPE, X);
            QuantizerState before = trained.state();
            for (TensorQuantizer quantizer : new TensorQuantizer[] {fresh, trained}) {
                assertThatThrownBy(() -> quantizer.load(state))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageStartingWith(
                                "layer \"layer\" (Linear), input 0: quantizer state ")
                        .hasMessageContaining(message);
            }
            assertThat(fresh.calibration()).isEmpty();
            Values.assertSame(trained.state(), before);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = QuantizationScheme.class,
            names = {"PER_TENSOR_SYMMETRIC", "PER_TENSOR_AFFINE"})
    void load_ofSeveralStepSizesForATensor_throws(QuantizationScheme scheme) {
        assertRefused(
                scheme,
                state(new float[] {1, 2, 3}, 1, 2, 3),
                "\"step_size\": got 3 values; expected 1");
        assertRefused(scheme, state(new float[0]), "\"step_size\": got 0 values; expected 1");
    }

    @ParameterizedTest
    @EnumSource(
            value = QuantizationScheme.class,
            names = {"PER_TENSOR_AFFINE", "PER_CHANNEL_AFFINE"})
    void load_ofAnotherNumberOfZeroPoints_throws(QuantizationScheme scheme) {
        float[] sizes = scheme.isPerChannel() ? new float[] {1, 2, 3} : new float[] {1};
        assertRefused(
                scheme,
                state(sizes, 1, 2),
                "\"zero_point\": got 2 values; expected " + sizes.length);
    }

    @ParameterizedTest
    @ValueSource(floats = {0, -.5f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void load_ofAStepSizeThatIsNotPositive_throws(float wrong) {
        for (QuantizationScheme scheme : QuantizationScheme.values()) {
            float[] sizes = scheme.isPerChannel() ? new float[] {1, wrong, 2} : new float[] {wrong};
            assertRefused(
                    scheme,
                    state(sizes, new float[sizes.length]),
                    "\"step_size\": got " + wrong + "; expected positive finite numbers");
        }
    }

    @Test
    void load_ofAnotherNumberOfChannels_throws() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer =
                        quantizer(QuantizationScheme.PER_CHANNEL_AFFINE, manager)) {
            Points.train(quantizer, X, SHAPE, X);
            QuantizerState before = quantizer.state();
            assertThatThrownBy(() -> quantizer.load(state(new float[] {1, 2}, 1, 2)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("\"step_size\": got 2 values; expected 3");
            Values.assertSame(quantizer.state(), before);
        }
    }

    /** A network that diverged must come back whole when what it was to load is refused. */
    @ParameterizedTest
    @EnumSource(QuantizationScheme.class)
    void load_ofTheStateOfAQuantizerThatDiverged_isThatState(QuantizationScheme scheme) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorQuantizer quantizer = quantizer(scheme, manager)) {
            Points.train(quantizer, X, SHAPE, X);
            NDArray sizes = quantizer.learnedParameters().get(0).getArray();
            sizes.set(sizes.mul(Float.NaN).toFloatArray());
            QuantizerState diverged = quantizer.state();
            quantizer.load(new QuantizerState(Map.of(), Map.of()));
            quantizer.load(diverged);
            Values.assertSame(quantizer.state(), diverged);
        }
    }
}
