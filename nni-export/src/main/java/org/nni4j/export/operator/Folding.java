package org.nni4j.export.operator;

import ai.djl.ndarray.NDArray;
import java.util.Optional;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.graph.BatchNormFold;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/**
 * A BatchNorm that is multiplied into the layer before it: {@code W' = W·γ/√(σ²+ε)} for each output
 * channel and {@code b' = β + (b − μ)·γ/√(σ²+ε)}, in float and in the order in which training with
 * a folded BatchNorm computes it, so that a weight is quantized to the same integers.
 *
 * @param scale γ/√(σ²+ε) per channel
 * @param shift β per channel
 * @param mean μ per channel
 */
public record Folding(float[] scale, float[] shift, float[] mean) {

    /** Copies. */
    public Folding {
        scale = scale.clone();
        shift = shift.clone();
        mean = mean.clone();
    }

    /**
     * Computes it.
     *
     * @param network with the parameters
     * @param fold of its graph
     * @return the factors and shifts
     */
    public static Folding of(TracedNetwork network, BatchNormFold fold) {
        Node node = fold.batchNormNode();
        float[] mean = floats(network, node.input("runningMean").orElseThrow());
        float[] variance = floats(network, node.input("runningVar").orElseThrow());
        Optional<Value> gamma = node.input("gamma");
        Optional<Value> beta = node.input("beta");
        float[] shift = beta.map(v -> floats(network, v)).orElseGet(() -> new float[mean.length]);
        float epsilon = ((Number) network.attribute(node, "epsilon").orElseThrow()).floatValue();
        float[] scale = new float[mean.length];
        float[] gammas = gamma.map(v -> floats(network, v)).orElse(null);
        for (int c = 0; c < scale.length; c++) {
            float deviation = (float) Math.sqrt(variance[c] + epsilon);
            scale[c] = (gammas == null ? 1 : gammas[c]) / deviation;
        }
        return new Folding(scale, shift, mean);
    }

    private static float[] floats(TracedNetwork network, Value value) {
        NDArray array = network.parameter(value.parameter().orElseThrow());
        return array.toFloatArray();
    }

    /** Multiplies a weight whose output channels are its first axis. */
    float[] weight(float[] weight) {
        float[] folded = weight.clone();
        int perChannel = weight.length / scale.length;
        for (int i = 0; i < folded.length; i++) {
            folded[i] *= scale[i / perChannel];
        }
        return folded;
    }

    /** Folds a bias; zeros for a layer without one. */
    float[] bias(float[] bias) {
        float[] folded = new float[bias.length];
        for (int c = 0; c < folded.length; c++) {
            folded[c] = shift[c] + (-mean[c] + bias[c]) * scale[c];
        }
        return folded;
    }
}
