package org.nni4j.examples;

import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;
import org.nni4j.layer.LayerTree;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * How much room a network's parameters take.
 *
 * @param inFloat bytes of all parameters as float32
 * @param quantized bytes once the planned weights are packed to their width, each with a float
 *     scale per tensor or channel; everything else stays float32
 */
record ParameterBytes(long inFloat, long quantized) {

    /**
     * Counts the bytes.
     *
     * @param model initialized, not quantized yet
     * @param plan what will be quantized
     */
    static ParameterBytes of(Model model, QuantizationPlan plan) {
        long inFloat = 0;
        for (Pair<String, Parameter> parameter : model.getBlock().getParameters()) {
            inFloat += parameter.getValue().getArray().size() * Float.BYTES;
        }
        return new ParameterBytes(inFloat, inFloat - saved(model, plan));
    }

    private static long saved(Model model, QuantizationPlan plan) {
        LayerTree tree = LayerTree.of(model);
        long saved = 0;
        for (PlannedLayer layer : plan.quantizedLayers()) {
            for (QuantizationPoint point : layer.points(QuantType.WEIGHT)) {
                Parameter parameter =
                        tree.find(layer.path()).orElseThrow().parameters().get(point.tensor());
                if (parameter == null) {
                    throw new IllegalStateException(
                            layer.path() + " has no parameter " + point.tensor());
                }
                Shape shape = parameter.getShape();
                long scales = point.scheme().isPerChannel() ? shape.get(point.channelAxis()) : 1;
                long packed = (shape.size() * point.type().bits() + 7) / 8;
                saved += (shape.size() - scales) * Float.BYTES - packed;
            }
        }
        return saved;
    }
}
