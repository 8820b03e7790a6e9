package org.nni4j.algorithms.qat;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationScheme;

/**
 * Quantization-aware training.
 *
 * <p>Jacob et al., "Quantization and Training of Neural Networks for Efficient
 * Integer-Arithmetic-Only Inference", CVPR 2018, section 3, <a
 * href="https://arxiv.org/abs/1712.05877">arXiv:1712.05877</a>.
 */
public final class QatAlgorithm implements QuantizationAlgorithm {

    /**
     * One bit leaves an affine grid two levels, one of which is zero; BNN and DoReFa are made for
     * that.
     */
    private static final BitRange WIDTHS = new BitRange(2, 16);

    /** For the service loader. */
    public QatAlgorithm() {}

    @Override
    public String name() {
        return "qat";
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(
                Map.of(
                        QuantType.WEIGHT, WIDTHS,
                        QuantType.INPUT, WIDTHS,
                        QuantType.OUTPUT, WIDTHS),
                EnumSet.allOf(QuantizationScheme.class),
                true,
                true,
                true,
                true,
                Set.of(
                        SettingKey.BN_FREEZE_STEP.key(),
                        SettingKey.SHARE_SCALE.key(),
                        ObservingSteps.EVERY,
                        ObservingSteps.FREEZE_STEP));
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        return point.quantType() == QuantType.WEIGHT
                ? new QatWeightQuantizer(point, context)
                : new QatActivationQuantizer(point, context, ObservingSteps.of(point));
    }
}
