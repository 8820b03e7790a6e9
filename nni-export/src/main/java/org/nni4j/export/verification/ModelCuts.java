package org.nni4j.export.verification;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nni4j.export.integer.QuantizedTensor;

/** Copies of a model that show its integers. */
final class ModelCuts {

    private ModelCuts() {}

    /** The name under which a cut model takes a tensor's integers. */
    static String given(QuantizedTensor tensor) {
        return "given/" + tensor.integers();
    }

    /**
     * Makes the integers of some tensors outputs of the model.
     *
     * @param cut whether they are inputs too: then what reads them reads what is given instead, and
     *     each operator can be judged by itself
     */
    static byte[] showing(byte[] model, List<QuantizedTensor> tensors, boolean cut) {
        ModelProto.Builder copy = parse(model).toBuilder();
        GraphProto.Builder graph = copy.getGraphBuilder();
        Set<String> names = new HashSet<>();
        for (QuantizedTensor tensor : tensors) {
            names.add(tensor.integers());
            int type = tensor.codes().carrier().code();
            graph.addOutput(info(tensor.integers(), type));
            if (cut) {
                graph.addInput(info(given(tensor), type));
            }
        }
        for (int n = 0; cut && n < graph.getNodeCount(); n++) {
            NodeProto.Builder node = graph.getNodeBuilder(n);
            for (int i = 0; i < node.getInputCount(); i++) {
                if (names.contains(node.getInput(i))) {
                    node.setInput(i, "given/" + node.getInput(i));
                }
            }
        }
        return copy.build().toByteArray();
    }

    private static ModelProto parse(byte[] model) {
        try {
            return ModelProto.parseFrom(model);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the model just written cannot be read", e);
        }
    }

    private static ValueInfoProto info(String name, int type) {
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(
                        TypeProto.newBuilder()
                                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type)))
                .build();
    }
}
