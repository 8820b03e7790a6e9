package org.nni4j.algorithms.bnn;

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
import org.nni4j.fakequant.UniformNoise;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Binarized neural networks: weights, inputs and outputs are -1 or 1, and master weights stay
 * within [-1, 1].
 *
 * <p>Courbariaux et al., "Binarized Neural Networks: Training Neural Networks with Weights and
 * Activations Constrained to +1 or -1", 2016, eq. 1, 2 and 4 and algorithm 1, <a
 * href="https://arxiv.org/abs/1602.02830">arXiv:1602.02830</a>. The setting {@code stochastic}
 * draws the sign at random in training (eq. 2).
 */
public final class BNNAlgorithm implements QuantizationAlgorithm {

    /** What -1 and 1 need as plain integers. */
    static final QuantizedType STORED = new QuantizedType(2, QuantizationDtype.INT);

    private static final String STOCHASTIC = "stochastic";

    /** Makes the algorithm; called by {@link java.util.ServiceLoader}. */
    public BNNAlgorithm() {}

    @Override
    public String name() {
        return "bnn";
    }

    @Override
    public Capabilities capabilities() {
        BitRange bit = new BitRange(1, 1);
        return new Capabilities(
                Map.of(QuantType.WEIGHT, bit, QuantType.INPUT, bit, QuantType.OUTPUT, bit),
                Set.of(),
                false,
                true,
                false,
                true,
                Set.of(STOCHASTIC));
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
        isStochastic(point);
    }

    private static boolean isStochastic(QuantizationPoint point) {
        return new PointSettings(point).flag(STOCHASTIC, false);
    }

    @Override
    public QuantizedType calibratedType(QuantizationPoint point) {
        return STORED;
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        return new SignQuantizer(
                context.kernels(),
                point.quantType() == QuantType.WEIGHT,
                isStochastic(point),
                new UniformNoise(context.seed(), point.toString()));
    }
}
