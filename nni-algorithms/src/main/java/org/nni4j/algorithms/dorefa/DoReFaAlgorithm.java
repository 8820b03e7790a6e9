package org.nni4j.algorithms.dorefa;

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
import org.nni4j.fakequant.NetworkExit;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.fakequant.UniformNoise;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * DoReFa-Net: tanh-normalised weights on even levels of [-1, 1], inputs and outputs on even levels
 * of [0, 1].
 *
 * <p>Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low
 * Bitwidth Gradients", 2016, eq. 5-11, <a
 * href="https://arxiv.org/abs/1606.06160">arXiv:1606.06160</a>. The setting {@code variant} chooses
 * between the paper's formulas ({@code "paper"}) and those of NNI 2.x ({@code "nni"}), which have
 * no scale at 1 bit and pass weight gradients straight through.
 *
 * <p>With {@code output_gradient} the bits of outputs are those of their gradients (eq. 12), and
 * their values stay as they are; see {@link DoReFaQuantizer#gradientListener()}.
 */
public final class DoReFaAlgorithm implements QuantizationAlgorithm {

    static final int MAX_BITS = 8;

    private static final String VARIANT = "variant";
    private static final String NNI = "nni";
    private static final String GRADIENT = "output_gradient";

    private final GradientCuts cuts = new GradientCuts();
    private final boolean proceeds;

    /** Makes the algorithm; called by {@link java.util.ServiceLoader}. */
    public DoReFaAlgorithm() {
        this(false);
    }

    /**
     * Makes the algorithm.
     *
     * @param proceeds whether there is a {@link DoReFaQuantizer} that lets stopped gradients go on
     */
    DoReFaAlgorithm(boolean proceeds) {
        this.proceeds = proceeds;
    }

    @Override
    public String name() {
        return "dorefa";
    }

    @Override
    public Capabilities capabilities() {
        BitRange bits = new BitRange(1, MAX_BITS);
        return new Capabilities(
                Map.of(QuantType.WEIGHT, bits, QuantType.INPUT, bits, QuantType.OUTPUT, bits),
                Set.of(),
                false,
                true,
                false,
                true,
                Set.of(VARIANT, GRADIENT));
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
        isNni(point);
        if (isGradient(point) && !proceeds) {
            throw new IllegalArgumentException(
                    point
                            + ": "
                            + GRADIENT
                            + ": true is not supported by a quantizer that was made by the"
                            + " algorithm's name, which has nothing to let gradients go on;"
                            + " expected a DoReFaQuantizer");
        }
    }

    /** The setting is about outputs, and would be for nothing without them. */
    @Override
    public void checkLayer(List<QuantizationPoint> points) {
        List<QuantizationPoint> asking =
                points.stream().filter(DoReFaAlgorithm::hasGradientSetting).toList();
        if (!asking.isEmpty() && asking.stream().noneMatch(DoReFaAlgorithm::isGradient)) {
            throw new IllegalArgumentException(
                    asking.get(0)
                            + ": "
                            + GRADIENT
                            + ": true where only "
                            + asking.stream().map(point -> point.quantType().key()).toList()
                            + " is quantized; expected \"output\" in quant_types");
        }
    }

    private static boolean isNni(QuantizationPoint point) {
        return new PointSettings(point).word(VARIANT, List.of("paper", NNI)).equals(NNI);
    }

    private static boolean isGradient(QuantizationPoint point) {
        return hasGradientSetting(point) && point.quantType() == QuantType.OUTPUT;
    }

    private static boolean hasGradientSetting(QuantizationPoint point) {
        return new PointSettings(point).flag(GRADIENT, false);
    }

    GradientCuts cuts() {
        return cuts;
    }

    /** Weights lie on the odd multiples of {@code 1 / (2^bits - 1)}, which takes one bit more. */
    @Override
    public QuantizedType calibratedType(QuantizationPoint point) {
        int bits = point.type().bits();
        return point.quantType() == QuantType.WEIGHT
                ? new QuantizedType(bits + 1, QuantizationDtype.INT)
                : new QuantizedType(bits, QuantizationDtype.UINT);
    }

    /** Where its gradient is quantized, an output keeps its values. */
    @Override
    public boolean hasCalibration(QuantizationPoint point) {
        return !isGradient(point);
    }

    @Override
    public Optional<NetworkExit> exit(List<QuantizationPoint> points) {
        return points.stream().anyMatch(DoReFaAlgorithm::isGradient)
                ? Optional.of(cuts::leave)
                : Optional.empty();
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        if (isGradient(point)) {
            UniformNoise noise = new UniformNoise(context.seed(), point.toString());
            return new DoReFaGradientQuantizer(cuts, point.type().bits(), noise);
        }
        return point.quantType() == QuantType.WEIGHT
                ? new DoReFaWeightQuantizer(
                        context.kernels(), point.type().bits(), isNni(point), calibratedType(point))
                : new DoReFaActivationQuantizer(context.kernels(), calibratedType(point));
    }
}
