package org.nni4j.export.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A model that was written, read back: its nodes, and copies of it that show more. */
public final class OnnxModelReader {

    private final ModelProto model;

    /**
     * A node.
     *
     * @param name may be empty
     * @param op its operator
     * @param inputs values by name; empty where one is left out
     * @param outputs values by name
     * @param numbers its attributes that are whole numbers
     */
    public record ReadNode(
            String name,
            String op,
            List<String> inputs,
            List<String> outputs,
            Map<String, Long> numbers) {

        /** Copies. */
        public ReadNode {
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
            numbers = Map.copyOf(numbers);
        }
    }

    /**
     * Reads a model.
     *
     * @param bytes of an ONNX file
     * @throws IllegalArgumentException if they are anything else
     */
    public OnnxModelReader(byte[] bytes) {
        try {
            model = ModelProto.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("no ONNX model: " + e.getMessage(), e);
        }
    }

    /**
     * Returns the nodes.
     *
     * @return in execution order
     */
    public List<ReadNode> nodes() {
        return model.getGraph().getNodeList().stream()
                .map(
                        n ->
                                new ReadNode(
                                        n.getName(),
                                        n.getOpType(),
                                        n.getInputList(),
                                        n.getOutputList(),
                                        numbers(n)))
                .toList();
    }

    private static Map<String, Long> numbers(NodeProto node) {
        Map<String, Long> numbers = new HashMap<>();
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.getType() == AttributeProto.AttributeType.INT) {
                numbers.put(attribute.getName(), attribute.getI());
            }
        }
        return numbers;
    }

    /**
     * Returns the element types of the model's inputs and initializers.
     *
     * @return {@link OnnxType#code()} by name
     */
    public Map<String, Integer> givenTypes() {
        Map<String, Integer> types = new HashMap<>();
        GraphProto graph = model.getGraph();
        graph.getInitializerList().forEach(t -> types.put(t.getName(), t.getDataType()));
        for (ValueInfoProto input : graph.getInputList()) {
            types.put(input.getName(), input.getType().getTensorType().getElemType());
        }
        return types;
    }

    /**
     * Returns a copy in which some values are outputs of the model.
     *
     * @param values their types by name
     * @param prefix where it is not empty, each of them is an input too, by its name behind this
     *     prefix, and whatever reads the value reads that input instead
     * @return an ONNX file's bytes
     */
    public byte[] showing(Map<String, OnnxType> values, String prefix) {
        ModelProto.Builder copy = model.toBuilder();
        GraphProto.Builder graph = copy.getGraphBuilder();
        values.forEach(
                (name, type) -> {
                    graph.addOutput(info(name, type));
                    if (!prefix.isEmpty()) {
                        graph.addInput(info(prefix + name, type));
                    }
                });
        for (int n = 0; !prefix.isEmpty() && n < graph.getNodeCount(); n++) {
            NodeProto.Builder node = graph.getNodeBuilder(n);
            for (int i = 0; i < node.getInputCount(); i++) {
                if (values.containsKey(node.getInput(i))) {
                    node.setInput(i, prefix + node.getInput(i));
                }
            }
        }
        return copy.build().toByteArray();
    }

    private static ValueInfoProto info(String name, OnnxType type) {
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(
                        TypeProto.newBuilder()
                                .setTensorType(
                                        TypeProto.Tensor.newBuilder().setElemType(type.code())))
                .build();
    }
}
