package org.nni4j.algorithms.naive;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationScheme;

/** 8-bit weights by their largest magnitude, as NNI 2.x's NaiveQuantizer computes them. */
public final class NaiveAlgorithm implements QuantizationAlgorithm {

    /** For the service loader. */
    public NaiveAlgorithm() {}

    @Override
    public String name() {
        return "naive";
    }

    @Override
    public Capabilities capabilities() {
        return new Capabilities(
                Map.of(QuantType.WEIGHT, new BitRange(8, 8)),
                Set.of(QuantizationScheme.PER_TENSOR_SYMMETRIC),
                false,
                false,
                false,
                false,
                Set.of());
    }

    @Override
    public Optional<QuantizationScheme> defaultScheme(QuantType type) {
        return Optional.of(QuantizationScheme.PER_TENSOR_SYMMETRIC);
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        return new NaiveWeightQuantizer(point);
    }
}
