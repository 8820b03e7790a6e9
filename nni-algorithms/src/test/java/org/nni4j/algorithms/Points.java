package org.nni4j.algorithms;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nni4j.algorithm.AlgorithmContext;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.ForwardContext;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Single quantizers, without a network around them. */
public final class Points {

    private Points() {}

    /** What one training pass through a quantizer gave. */
    public record Pass(float[] output, float[] gradient, List<float[]> learned) {}

    /** A point with the algorithm's own dtype and scheme. */
    public static QuantizationPoint point(
            String algorithm, QuantType type, int bits, Map<String, Object> settings) {
        QuantizationAlgorithm found = Algorithms.find(algorithm);
        return point(
                type,
                bits,
                found.defaultDtype(type).orElse(QuantizationDtype.INT),
                found.defaultScheme(type).orElse(QuantizationScheme.PER_TENSOR_SYMMETRIC),
                settings);
    }

    /** A point; channels are along axis 0 of weights, axis 1 of others. */
    public static QuantizationPoint point(
            QuantType type,
            int bits,
            QuantizationDtype dtype,
            QuantizationScheme scheme,
            Map<String, Object> settings) {
        int channelAxis = type == QuantType.WEIGHT ? 0 : 1;
        return point(type, new QuantizedType(bits, dtype), scheme, channelAxis, settings);
    }

    /** A point with channels along any axis, or {@link QuantizationPoint#LAST_AXIS}. */
    public static QuantizationPoint point(
            QuantType quantType,
            QuantizedType type,
            QuantizationScheme scheme,
            int channelAxis,
            Map<String, Object> settings) {
        return new QuantizationPoint(
                "layer",
                "Linear",
                quantType,
                quantType == QuantType.WEIGHT ? "weight" : "0",
                type,
                scheme,
                channelAxis,
                0,
                0,
                settings);
    }

    /** A quantizer by plain NDArray kernels; its arrays belong to the manager. */
    public static TensorQuantizer quantizer(
            String algorithm, QuantizationPoint point, NDManager manager) {
        return quantizer(algorithm, point, manager, QuantizationKernels.create("ndarray", manager));
    }

    /** A quantizer by the kernels given. */
    public static TensorQuantizer quantizer(
            String algorithm,
            QuantizationPoint point,
            NDManager manager,
            QuantizationKernels kernels) {
        QuantizationAlgorithm found = Algorithms.find(algorithm);
        found.check(point);
        return found.create(point, new AlgorithmContext(manager, kernels, 42));
    }

    /** A pass on the manager's device. */
    public static ForwardContext context(NDManager manager, boolean training) {
        return new ForwardContext(
                training, true, 1, new ParameterStore(manager, false), manager.getDevice());
    }

    /** Runs forward and backward in training. */
    public static Pass train(
            TensorQuantizer quantizer, float[] input, Shape shape, float[] upstream) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.create(input, shape);
            x.setRequiresGradient(true);
            float[] output;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray y = quantizer.quantize(x, context(manager, true));
                output = y.toFloatArray();
                collector.backward(y.mul(manager.create(upstream, shape)).sum());
            }
            List<float[]> learned = new ArrayList<>();
            for (Parameter parameter : quantizer.learnedParameters()) {
                if (!parameter.isInitialized()) {
                    continue;
                }
                NDArray array = parameter.getArray();
                learned.add(array.getGradient().toFloatArray());
                // the next pass starts from no gradient
                array.getGradient().muli(0);
            }
            return new Pass(output, x.getGradient().toFloatArray(), learned);
        }
    }

    /** Runs an evaluation forward. */
    public static float[] evaluate(TensorQuantizer quantizer, float[] input, Shape shape) {
        try (NDManager manager = NDManager.newBaseManager()) {
            return quantizer
                    .quantize(manager.create(input, shape), context(manager, false))
                    .toFloatArray();
        }
    }

    /** Shows a weight quantizer its weight. */
    public static void describe(TensorQuantizer quantizer, float[] weight, Shape shape) {
        try (NDManager manager = NDManager.newBaseManager()) {
            quantizer.describe(manager.create(weight, shape));
        }
    }
}
