package org.nni4j.algorithms.lsq;

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
import org.nni4j.config.SettingKey;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Learned step size quantization: step sizes are parameters that the optimizer trains with the
 * weights.
 *
 * <p>Esser et al., "Learned Step Size Quantization", ICLR 2020, eq. 1-5, <a
 * href="https://arxiv.org/abs/1902.08153">arXiv:1902.08153</a>. An affine scheme learns an offset
 * as well: Bhalgat et al., "LSQ+", CVPR 2020 Workshops, <a
 * href="https://arxiv.org/abs/2004.09576">arXiv:2004.09576</a>.
 */
public final class LsqAlgorithm implements QuantizationAlgorithm {

    private static final String NARROW_RANGE = "narrow_range";
    private static final String UNSIGNED = SettingKey.UNSIGNED.key();

    /** Makes the algorithm; called by {@link java.util.ServiceLoader}. */
    public LsqAlgorithm() {}

    @Override
    public String name() {
        return "lsq";
    }

    @Override
    public Capabilities capabilities() {
        BitRange bits = new BitRange(2, 8);
        return new Capabilities(
                Map.of(QuantType.WEIGHT, bits, QuantType.INPUT, bits, QuantType.OUTPUT, bits),
                Set.of(QuantizationScheme.values()),
                true,
                true,
                true,
                true,
                Set.of(
                        StepLearning.RATE_MULTIPLE,
                        StepLearning.COUNT_BATCH,
                        NARROW_RANGE,
                        UNSIGNED,
                        SettingKey.BN_FREEZE_STEP.key()));
    }

    @Override
    public Optional<QuantizationDtype> defaultDtype(QuantType type) {
        return Optional.of(
                type == QuantType.WEIGHT ? QuantizationDtype.INT : QuantizationDtype.UINT);
    }

    /** One step size for each tensor and no offset, as in the paper. */
    @Override
    public Optional<QuantizationScheme> defaultScheme(QuantType type) {
        return Optional.of(QuantizationScheme.PER_TENSOR_SYMMETRIC);
    }

    @Override
    public void check(QuantizationPoint point) {
        StepLearning.of(point);
        isNarrow(point);
        sign(point);
    }

    /** Where nothing is said, {@code uint} leaves it to the data. */
    private static LsqSign sign(QuantizationPoint point) {
        boolean uint = point.type().dtype() == QuantizationDtype.UINT;
        if (!point.settings().containsKey(UNSIGNED)) {
            return uint ? LsqSign.BY_DATA : LsqSign.SIGNED;
        }
        boolean unsigned = new PointSettings(point).flag(UNSIGNED, true);
        if (unsigned && !uint) {
            throw new IllegalArgumentException(
                    point
                            + ": "
                            + UNSIGNED
                            + ": true does not go with quant_dtype int; expected uint");
        }
        return unsigned ? LsqSign.UNSIGNED : LsqSign.SIGNED;
    }

    private static boolean isNarrow(QuantizationPoint point) {
        return new PointSettings(point).flag(NARROW_RANGE, false)
                && point.type().dtype() == QuantizationDtype.INT;
    }

    /**
     * The paper's signed range has one integer more than {@code int}; it is held as {@code uint}
     * about its middle.
     */
    @Override
    public QuantizedType calibratedType(QuantizationPoint point) {
        boolean plain = isNarrow(point) && !point.scheme().isAffine();
        return new QuantizedType(
                point.type().bits(), plain ? QuantizationDtype.INT : QuantizationDtype.UINT);
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        StepLearning learning = StepLearning.of(point);
        return point.scheme().isAffine()
                ? new LsqPlusQuantizer(point, context, learning)
                : new LsqTensorQuantizer(
                        point, context, learning, calibratedType(point), sign(point));
    }
}
