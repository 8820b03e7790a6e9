package org.nni4j.export.operator;

import java.util.Optional;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.graph.BatchNormFold;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/**
 * Where a quantized export differs from the float one. Every method has the float export's
 * behaviour as its default; nodes that an override adds to the graph come before those of the
 * operator at hand.
 */
public interface EmissionHooks {

    /** The float export. */
    EmissionHooks FLOAT = new EmissionHooks() {};

    /**
     * Replaces the way one operator is written.
     *
     * @param node the traced operator
     * @return another mapping for this operator alone; empty for the standard one
     */
    default Optional<OperatorMapping> replacement(Node node) {
        return Optional.empty();
    }

    /**
     * Decides about a BatchNorm that could be folded.
     *
     * @param fold the BatchNorm and the layer before it
     * @return false to write the BatchNorm as an operator of its own
     */
    default boolean folds(BatchNormFold fold) {
        return true;
    }

    /**
     * Called once for each value that is an input of the network, a constant, or the result of an
     * operator, as soon as it has a name. For a layer with a folded BatchNorm this is the
     * BatchNorm's output, not the layer's.
     *
     * @param onnx to add nodes to
     * @param value the traced value
     * @param name its name in the file
     * @return what all readers and the network's outputs get in its place; the name itself for no
     *     change
     */
    default String made(OnnxGraph onnx, Value value, String name) {
        return name;
    }

    /**
     * Called for each tensor an operator reads, other than parameters written by {@link
     * #parameter}, each time it is written.
     *
     * @param onnx to add nodes to
     * @param consumer the operator that reads
     * @param role the argument, for instance {@code input} or {@code arrays[1]}
     * @param value the traced value
     * @param name its name in the file, after {@link #made}
     * @return what this operator reads in its place; the name itself for no change
     */
    default String read(OnnxGraph onnx, Node consumer, String role, Value value, String name) {
        return name;
    }

    /**
     * Writes a weight or bias, already folded and in the layout its ONNX operator takes. The
     * default writes a float initializer, once for each name.
     *
     * @param onnx to add initializers and nodes to
     * @param consumer the operator that reads it; the convolution or linear layer for a fold
     * @param role {@code weight} or {@code bias}; for recurrent layers what it holds there
     * @param tensor name, shape and elements
     * @return the name of a float value
     */
    default String parameter(OnnxGraph onnx, Node consumer, String role, ParameterTensor tensor) {
        return onnx.sharedInitializer(tensor.name(), OnnxType.FLOAT32, tensor::data);
    }
}
