package org.nni4j.graph;

import java.util.List;
import java.util.Optional;

/**
 * A BatchNorm that can be folded into the convolution or linear layer before it.
 *
 * @param layer the dotted path of the convolution or linear layer, the owner of the weight
 * @param batchNorm the dotted path of the BatchNorm, the owner of the running statistics
 * @param layerNode the convolution or linear operator
 * @param batchNormNode the normalization
 * @param activationNodes the operators of the ReLU or ReLU6 that alone reads the result, in
 *     execution order; empty if there is none. DJL computes ReLU6 by two operators.
 */
public record BatchNormFold(
        String layer,
        String batchNorm,
        Node layerNode,
        Node batchNormNode,
        List<Node> activationNodes) {

    /** What may follow a folded BatchNorm and still belong to it. */
    public enum Activation {
        /** {@code max(0, x)}. */
        RELU,
        /** {@code min(6, max(0, x))}. */
        RELU6
    }

    /** Copies the list. */
    public BatchNormFold {
        activationNodes = List.copyOf(activationNodes);
    }

    /**
     * Returns what follows the BatchNorm.
     *
     * @return empty if something else, or more than that, reads the result
     */
    public Optional<Activation> activation() {
        return switch (activationNodes.size()) {
            case 0 -> Optional.empty();
            case 1 ->
                    Optional.of(
                            activationNodes.get(0).op().equals("Relu")
                                    ? Activation.RELU
                                    : Activation.RELU6);
            default -> Optional.of(Activation.RELU6);
        };
    }

    /**
     * Returns what comes out of convolution, BatchNorm and activation together.
     *
     * @return the last of these operators' output
     */
    public Value output() {
        List<Node> nodes = activationNodes;
        return nodes.isEmpty() ? batchNormNode.output() : nodes.get(nodes.size() - 1).output();
    }

    /** Returns {@code 02BatchNorm into 01Conv2d, then RELU}. */
    @Override
    public String toString() {
        return batchNorm + " into " + layer + activation().map(a -> ", then " + a).orElse("");
    }
}
