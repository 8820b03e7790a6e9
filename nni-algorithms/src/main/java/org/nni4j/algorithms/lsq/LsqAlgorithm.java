package org.nni4j.algorithms.lsq;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
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

    /** An entry's settings are meant for the tensors they say something of; there must be one. */
    @Override
    public void checkLayer(List<QuantizationPoint> points) {
        Map<String, Object> settings = points.get(0).settings();
        if (settings.containsKey(UNSIGNED)) {
            require(points, UNSIGNED, QuantizationDtype.UINT);
        }
        if (Boolean.TRUE.equals(settings.get(NARROW_RANGE))) {
            require(points, NARROW_RANGE, QuantizationDtype.INT);
        }
        if (Boolean.FALSE.equals(settings.get(StepLearning.COUNT_BATCH))) {
            require(
                    points,
                    StepLearning.COUNT_BATCH,
                    point -> point.quantType() != QuantType.WEIGHT,
                    "an input or output");
        }
    }

    private static void require(
            List<QuantizationPoint> points, String key, QuantizationDtype dtype) {
        require(
                points,
                key,
                point -> point.type().dtype() == dtype && !point.scheme().isAffine(),
                "a symmetric tensor of quant_dtype " + dtype.key());
    }

    private static void require(
            List<QuantizationPoint> points,
            String key,
            Predicate<QuantizationPoint> uses,
            String expected) {
        QuantizationPoint first = points.get(0);
        if (points.stream().noneMatch(uses)) {
            throw new IllegalArgumentException(
                    "layer \""
                            + first.layer()
                            + "\" ("
                            + first.layerType()
                            + "): "
                            + key
                            + ": "
                            + first.settings().get(key)
                            + " has no effect on "
                            + points.stream()
                                    .map(LsqAlgorithm::described)
                                    .collect(Collectors.joining(", "))
                            + "; expected "
                            + expected);
        }
    }

    private static String described(QuantizationPoint point) {
        return point.quantType().key()
                + " "
                + point.tensor()
                + " "
                + point.type()
                + " "
                + point.scheme().key();
    }

    /** Where nothing is said, {@code uint} leaves it to the data; {@code int} is always signed. */
    private static LsqSign sign(QuantizationPoint point) {
        boolean unsigned = new PointSettings(point).flag(UNSIGNED, true);
        if (point.type().dtype() == QuantizationDtype.INT) {
            return LsqSign.SIGNED;
        }
        if (!point.settings().containsKey(UNSIGNED)) {
            return LsqSign.BY_DATA;
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
