package org.nni4j.algorithm;

import ai.djl.ndarray.NDArray;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.QuantizerState;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;

/**
 * An algorithm as a user writes it in a jar of their own: rounds to whole numbers.
 * META-INF/services of the tests names it.
 */
public final class RoundingAlgorithm implements QuantizationAlgorithm {

    private static final BitRange WIDTHS = new BitRange(2, 8);

    /** For the service loader. */
    public RoundingAlgorithm() {}

    @Override
    public String name() {
        return "rounding";
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(
                Map.of(QuantType.WEIGHT, WIDTHS, QuantType.INPUT, WIDTHS),
                Set.of(
                        QuantizationScheme.PER_TENSOR_SYMMETRIC,
                        QuantizationScheme.PER_CHANNEL_SYMMETRIC),
                true,
                true,
                false,
                false,
                Set.of("observer"));
    }

    @Override
    public Optional<QuantizationDtype> defaultDtype(QuantType type) {
        return Optional.of(QuantizationDtype.INT);
    }

    @Override
    public Optional<QuantizationScheme> defaultScheme(QuantType type) {
        return Optional.of(QuantizationScheme.PER_TENSOR_SYMMETRIC);
    }

    @Override
    public void check(QuantizationPoint point) {
        if (point.type().bits() == 3) {
            throw new IllegalArgumentException(point + ": 3 bits is odd; expected an even number");
        }
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        return new Rounding(point);
    }

    private record Rounding(QuantizationPoint point) implements TensorQuantizer {

        @Override
        public NDArray quantize(NDArray tensor, ForwardContext context) {
            return context.quantizing() ? tensor.round() : tensor;
        }

        @Override
        @SuppressWarnings("NullAway") // does not see that the ranges may be null
        public Optional<TensorCalibration> calibration() {
            return Optional.of(
                    new TensorCalibration(
                            point.type(),
                            point.scheme(),
                            QuantizationParameters.perTensor(1, 0),
                            null,
                            null));
        }

        @Override
        public void restore(TensorCalibration calibration) {
            // there is nothing to know
        }

        @Override
        public QuantizerState state() {
            return new QuantizerState(Map.of(), Map.of());
        }

        @Override
        public void load(QuantizerState state) {
            // there is nothing to know
        }

        @Override
        public void close() {
            // nothing is kept
        }
    }
}
