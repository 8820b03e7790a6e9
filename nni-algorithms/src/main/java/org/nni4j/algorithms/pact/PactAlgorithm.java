package org.nni4j.algorithms.pact;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.PointSettings;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Parameterized clipping activation: inputs and outputs are clipped to {@code 0..α} with a learned
 * α, weights quantized by DoReFa or by SAWB.
 *
 * <p>Choi et al., "PACT: Parameterized Clipping Activation for Quantized Neural Networks", 2018,
 * eq. 1-3, <a href="https://arxiv.org/abs/1805.06085">arXiv:1805.06085</a>; Choi et al., "Bridging
 * the Accuracy Gap for 2-bit Quantized Neural Networks", 2018, section 3, <a
 * href="https://arxiv.org/abs/1807.06964">arXiv:1807.06964</a>.
 */
public final class PactAlgorithm implements QuantizationAlgorithm {

    private static final String WEIGHTS = "weights";
    private static final String DOREFA = "dorefa";
    private static final String SAWB = "sawb";
    private static final String INITIAL_LEVEL = "initial_level";
    private static final String LEVEL_DECAY = "level_decay";
    private static final String LEARNING_RATE_MULTIPLE = "learning_rate_multiple";
    private static final double SMALLEST = 1e-6;
    private static final double LARGEST = 1e6;

    /** Makes the algorithm; called by {@link java.util.ServiceLoader}. */
    public PactAlgorithm() {}

    @Override
    public String name() {
        return "pact";
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(
                Map.of(
                        QuantType.WEIGHT, new BitRange(1, 8),
                        QuantType.INPUT, new BitRange(1, 8),
                        QuantType.OUTPUT, new BitRange(1, 8)),
                Set.of(),
                false,
                true,
                false,
                true,
                Set.of(WEIGHTS, INITIAL_LEVEL, LEVEL_DECAY, LEARNING_RATE_MULTIPLE));
    }

    @Override
    public Optional<QuantizationDtype> defaultDtype(QuantType type) {
        return Optional.of(
                type == QuantType.WEIGHT ? QuantizationDtype.INT : QuantizationDtype.UINT);
    }

    @Override
    public Optional<QuantizationScheme> defaultScheme(QuantType type) {
        return Optional.of(
                type == QuantType.WEIGHT
                        ? QuantizationScheme.PER_TENSOR_SYMMETRIC
                        : QuantizationScheme.PER_TENSOR_AFFINE);
    }

    @Override
    public void check(QuantizationPoint point) {
        level(point);
        int bits = point.type().bits();
        if (point.quantType() == QuantType.WEIGHT
                && isSawb(point)
                && !SawbClipping.supports(bits)) {
            throw new IllegalArgumentException(
                    point + ": " + bits + " bits is not supported by SAWB; expected 2..5");
        }
    }

    /** An option that nothing in the layer has a use for is not accepted and ignored. */
    @Override
    public void checkLayer(List<QuantizationPoint> points) {
        boolean weights = points.stream().anyMatch(p -> p.quantType() == QuantType.WEIGHT);
        boolean levels = points.stream().anyMatch(p -> p.quantType() != QuantType.WEIGHT);
        QuantizationPoint any = points.get(0);
        if (!weights) {
            refuse(any, WEIGHTS, "weights", "weight");
        }
        if (!levels) {
            for (String key : List.of(INITIAL_LEVEL, LEVEL_DECAY, LEARNING_RATE_MULTIPLE)) {
                refuse(any, key, "inputs and outputs", "input or output");
            }
        }
    }

    private static void refuse(QuantizationPoint point, String key, String tensors, String type) {
        Object value = point.settings().get(key);
        if (value != null) {
            throw new IllegalArgumentException(
                    point
                            + ": "
                            + key
                            + ": "
                            + value
                            + " has an effect on "
                            + tensors
                            + " only; expected "
                            + type
                            + " in quant_types");
        }
    }

    private static boolean isSawb(QuantizationPoint point) {
        return new PointSettings(point).word(WEIGHTS, List.of(DOREFA, SAWB)).equals(SAWB);
    }

    private static LevelSettings level(QuantizationPoint point) {
        PointSettings settings = new PointSettings(point);
        return new LevelSettings(
                (float) settings.number(INITIAL_LEVEL, 8, SMALLEST, LARGEST),
                (float) settings.number(LEVEL_DECAY, 2e-4, 0, LARGEST),
                (float) settings.number(LEARNING_RATE_MULTIPLE, 1, SMALLEST, LARGEST));
    }

    /** Weights lie on the odd multiples of a step, which takes one bit more. */
    @Override
    public QuantizedType calibratedType(QuantizationPoint point) {
        int bits = point.type().bits();
        return point.quantType() == QuantType.WEIGHT
                ? new QuantizedType(bits + 1, QuantizationDtype.INT)
                : new QuantizedType(bits, QuantizationDtype.UINT);
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        check(point);
        if (point.quantType() != QuantType.WEIGHT) {
            return new ClippingQuantizer(point, context, level(point));
        }
        int bits = point.type().bits();
        return new PactWeightQuantizer(
                context.kernels(), bits, isSawb(point), calibratedType(point));
    }
}
