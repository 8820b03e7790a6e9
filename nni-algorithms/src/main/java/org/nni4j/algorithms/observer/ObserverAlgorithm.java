package org.nni4j.algorithms.observer;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
import org.nni4j.observer.Observer;
import org.nni4j.observer.ObserverKind;
import org.nni4j.observer.ObserverOptions;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Post-training quantization: observers find the range of each tensor in evaluation forwards; no
 * training.
 *
 * <p>The setting {@code observer} chooses how: {@code min_max} (the default for weights), {@code
 * histogram} (the default for inputs and outputs, as in NNI), {@code ema}, {@code percentile},
 * {@code entropy} or {@code mse}. With {@code reduce_range} one bit is left unused, for processors
 * whose 8-bit products saturate.
 */
public final class ObserverAlgorithm implements QuantizationAlgorithm {

    private static final String OBSERVER = SettingKey.OBSERVER.key();
    private static final String PERCENTILE = SettingKey.PERCENTILE.key();
    private static final String EMA_DECAY = "ema_decay";
    private static final String EMA_BIAS_CORRECTION = "ema_bias_correction";
    private static final String REDUCE_RANGE = SettingKey.REDUCE_RANGE.key();
    private static final double LARGEST_DECAY = 0.999999;

    private final Observation observation = new Observation();

    /** Makes the algorithm; called by {@link java.util.ServiceLoader}. */
    public ObserverAlgorithm() {}

    @Override
    public String name() {
        return "observer";
    }

    @Override
    public Capabilities capabilities() {
        BitRange bits = new BitRange(2, 8);
        return new Capabilities(
                Map.of(QuantType.WEIGHT, bits, QuantType.INPUT, bits, QuantType.OUTPUT, bits),
                Set.of(QuantizationScheme.values()),
                true,
                false,
                false,
                false,
                Set.of(OBSERVER, PERCENTILE, EMA_DECAY, EMA_BIAS_CORRECTION, REDUCE_RANGE));
    }

    @Override
    public void check(QuantizationPoint point) {
        observer(point);
        int bits = point.type().bits();
        if (isReduced(point) && bits == 2) {
            throw new IllegalArgumentException(
                    point + ": " + REDUCE_RANGE + ": 2 bits cannot be reduced; expected 3..8");
        }
    }

    private static Observer observer(QuantizationPoint point) {
        PointSettings settings = new PointSettings(point);
        ObserverOptions standard = ObserverOptions.DEFAULT;
        ObserverOptions options =
                new ObserverOptions(
                        settings.number(PERCENTILE, standard.percentile(), 50.001, 100),
                        settings.number(EMA_DECAY, standard.emaDecay(), 0, LARGEST_DECAY),
                        settings.flag(EMA_BIAS_CORRECTION, standard.emaBiasCorrection()));
        ObserverKind kind = ObserverKind.of(settings.word(OBSERVER, kinds(point.quantType())));
        refuse(point, PERCENTILE, ObserverKind.PERCENTILE, kind);
        refuse(point, EMA_DECAY, ObserverKind.EMA, kind);
        refuse(point, EMA_BIAS_CORRECTION, ObserverKind.EMA, kind);
        return kind.create(options);
    }

    /** A setting of another observer would be ignored in silence. */
    private static void refuse(
            QuantizationPoint point, String key, ObserverKind owner, ObserverKind kind) {
        if (point.settings().containsKey(key) && kind != owner) {
            throw new IllegalArgumentException(
                    String.format(
                            "%s: %s: is not used by the observer \"%s\"; expected \"%s\": \"%s\""
                                    + " beside it",
                            point, key, kind.key(), OBSERVER, owner.key()));
        }
    }

    /** All kinds, the default first. */
    private static List<String> kinds(QuantType type) {
        ObserverKind first =
                type == QuantType.WEIGHT ? ObserverKind.MIN_MAX : ObserverKind.HISTOGRAM;
        return Arrays.stream(ObserverKind.values())
                .sorted((a, b) -> Boolean.compare(b == first, a == first))
                .map(ObserverKind::key)
                .toList();
    }

    Observation observation() {
        return observation;
    }

    private static boolean isReduced(QuantizationPoint point) {
        return new PointSettings(point).flag(REDUCE_RANGE, false);
    }

    @Override
    public QuantizedType calibratedType(QuantizationPoint point) {
        QuantizedType type = point.type();
        return isReduced(point) ? new QuantizedType(type.bits() - 1, type.dtype()) : type;
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        return new ObservingQuantizer(
                point, context, calibratedType(point), observation, () -> observer(point));
    }
}
