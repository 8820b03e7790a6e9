package org.nni4j.algorithms.dynamic;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.PointSettings;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;
import org.nni4j.fakequant.LayerArithmetic;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/**
 * Dynamic quantization: int8 weights, and uint8 inputs whose range is that of the tensor at hand.
 * Neither training nor calibration is needed.
 *
 * <p>The setting {@code profile} chooses whose arithmetic is met: {@code onnxruntime} (the default)
 * or {@code pytorch}. {@code reduce_range} leaves one bit unused, so that processors without VNNI
 * do not saturate: of weights in ONNX Runtime (not by default), of inputs in PyTorch (by default).
 */
public final class DynamicAlgorithm implements QuantizationAlgorithm {

    private static final String PROFILE = "profile";
    private static final String REDUCE_RANGE = SettingKey.REDUCE_RANGE.key();

    /** Makes the algorithm; called by {@link java.util.ServiceLoader}. */
    public DynamicAlgorithm() {}

    @Override
    public String name() {
        return "dynamic";
    }

    @Override
    public Capabilities capabilities() {
        BitRange bits = new BitRange(8, 8);
        return new Capabilities(
                Map.of(QuantType.WEIGHT, bits, QuantType.INPUT, bits),
                Set.of(
                        QuantizationScheme.PER_TENSOR_SYMMETRIC,
                        QuantizationScheme.PER_CHANNEL_SYMMETRIC,
                        QuantizationScheme.PER_TENSOR_AFFINE),
                false,
                false,
                false,
                false,
                Set.of(PROFILE, REDUCE_RANGE));
    }

    @Override
    public Set<String> layerTypes() {
        Set<String> types = new TreeSet<>();
        for (Profile profile : Profile.values()) {
            types.addAll(profile.layerTypes());
        }
        return types;
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
        Profile profile = profile(point);
        isReduced(point);
        if (!profile.layerTypes().contains(point.layerType())) {
            throw new IllegalArgumentException(
                    point
                            + ": "
                            + point.layerType()
                            + " has no dynamic kernel in profile \""
                            + profile.key()
                            + "\"; expected "
                            + new TreeSet<>(profile.layerTypes())
                            + ", or another profile of "
                            + Profile.keys());
        }
        boolean affine = point.scheme().isAffine();
        if (affine == (point.quantType() == QuantType.WEIGHT)) {
            throw new IllegalArgumentException(
                    point
                            + ": "
                            + point.scheme().key()
                            + " is not supported; expected "
                            + (affine
                                    ? "per_tensor_symmetric or per_channel_symmetric"
                                    : "per_tensor_affine"));
        }
    }

    /** Integer kernels take integers on both sides. */
    @Override
    public void checkLayer(List<QuantizationPoint> points) {
        for (QuantType type : List.of(QuantType.WEIGHT, QuantType.INPUT)) {
            if (points.stream().noneMatch(point -> point.quantType() == type)) {
                QuantizationPoint first = points.get(0);
                throw new IllegalArgumentException(
                        first
                                + ": is quantized without the layer's "
                                + type.key()
                                + "; expected quant_types [\"weight\", \"input\"]");
            }
        }
    }

    private static Profile profile(QuantizationPoint point) {
        return Profile.of(new PointSettings(point).word(PROFILE, Profile.keys()));
    }

    private static boolean isReduced(QuantizationPoint point) {
        return new PointSettings(point).flag(REDUCE_RANGE, profile(point).reducedByDefault());
    }

    @Override
    public QuantizedType calibratedType(QuantizationPoint point) {
        QuantizedType type = point.type();
        boolean narrowed =
                isReduced(point)
                        && profile(point) == Profile.ONNXRUNTIME
                        && point.quantType() == QuantType.WEIGHT;
        return narrowed ? new QuantizedType(type.bits() - 1, type.dtype()) : type;
    }

    @Override
    public TensorQuantizer create(QuantizationPoint point, AlgorithmContext context) {
        return point.quantType() == QuantType.WEIGHT
                ? new DynamicWeightQuantizer(
                        point, calibratedType(point), profile(point), isReduced(point))
                : new DynamicInputQuantizer(profile(point), isReduced(point));
    }

    @Override
    public Optional<LayerArithmetic> arithmetic(
            List<QuantizationPoint> points, AlgorithmContext context) {
        return Optional.of(new IntegerArithmetic(profile(points.get(0)).sumsBiases()));
    }
}
