package org.nni4j.export.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * An ONNX graph under construction: nodes in execution order, initializers, inputs and outputs.
 * Values are known by name; names are unique. Not thread-safe.
 */
public final class OnnxGraph {

    private final OnnxVersion version;
    private final List<NodeProto.Builder> nodes = new ArrayList<>();
    private final Map<String, TensorProto> initializers = new LinkedHashMap<>();
    private final Map<TensorData, String> constants = new HashMap<>();
    private final List<ValueInfoProto> inputs = new ArrayList<>();
    private final List<ValueInfoProto> outputs = new ArrayList<>();
    private final Map<String, String> renamed = new HashMap<>();
    private final Set<String> madeByNodes = new HashSet<>();
    private final Map<String, Integer> names = new HashMap<>();
    private final Map<String, Long> domains = new TreeMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    /**
     * Starts an empty graph.
     *
     * @param version of the format it will be written in
     */
    public OnnxGraph(OnnxVersion version) {
        this.version = version;
    }

    /**
     * Returns the version of ONNX's own operators.
     *
     * @return for instance 17
     */
    public int opset() {
        return version.opset();
    }

    /**
     * Reserves a name that no value and no node has yet.
     *
     * @param wanted what it should be
     * @return the wanted name, or that with a number
     */
    public String unique(String wanted) {
        int uses = names.merge(wanted, 1, Integer::sum);
        return uses == 1 ? wanted : unique(wanted + "_" + uses);
    }

    /**
     * Adds an input of the model.
     *
     * @param name as the runtime will know it
     * @param type of its elements
     * @param dimensions sizes as text: a number, or a symbol such as {@code batch}
     * @throws IllegalArgumentException if the name is taken
     */
    public void input(String name, OnnxType type, List<String> dimensions) {
        take(name, "input");
        inputs.add(info(name, type, dimensions));
    }

    /**
     * Makes a value an output of the model. A value that is none yet, and that a node makes, is
     * itself called by the output's name in the file; any other is copied.
     *
     * @param value the value
     * @param name as the runtime will know it
     * @param type of its elements
     * @param dimensions sizes as text: a number, or a symbol such as {@code batch}
     * @throws IllegalArgumentException if the name is taken
     */
    public void output(String value, String name, OnnxType type, List<String> dimensions) {
        if (!value.equals(name)) {
            take(name, "output");
            if (madeByNodes.contains(value) && !renamed.containsKey(value)) {
                renamed.put(value, name);
            } else {
                NodeProto.Builder copy = NodeProto.newBuilder().setOpType("Identity").setName(name);
                nodes.add(copy.addInput(value).addOutput(name));
            }
        }
        outputs.add(info(name, type, dimensions));
    }

    private void take(String name, String what) {
        if (names.merge(name, 1, Integer::sum) > 1) {
            throw new IllegalArgumentException(
                    what + " name \"" + name + "\" is taken; expected another");
        }
    }

    /**
     * Tells whether an initializer was added.
     *
     * @param name of it
     * @return whether it is there
     */
    public boolean hasInitializer(String name) {
        return initializers.containsKey(name);
    }

    /**
     * Adds an initializer.
     *
     * @param name of it
     * @param data its elements
     * @return the name
     * @throws IllegalArgumentException if the name is taken
     */
    public String initializer(String name, TensorData data) {
        take(name, "initializer");
        return store(name, data);
    }

    /**
     * Adds an initializer once for all that ask for its name and type.
     *
     * @param wanted the name it gets, unless one of another type has it: the same weight may be
     *     stored as integers too
     * @param type of the elements
     * @param data the elements; asked for where there is no such initializer yet
     * @return the name
     */
    public String sharedInitializer(String wanted, OnnxType type, Supplier<TensorData> data) {
        TensorProto there = initializers.get(wanted);
        String name =
                there == null || there.getDataType() == type.code()
                        ? wanted
                        : wanted + "/" + type.name().toLowerCase(Locale.ROOT);
        return initializers.containsKey(name) ? name : initializer(name, data.get());
    }

    /**
     * Adds an initializer under a name that is free.
     *
     * @param wanted the name it gets if nothing is called that yet
     * @param data its elements
     * @return the name
     */
    public String freshInitializer(String wanted, TensorData data) {
        return store(unique(wanted), data);
    }

    private String store(String name, TensorData data) {
        version.check(data.type());
        initializers.put(name, tensor(name, data));
        return name;
    }

    /**
     * Returns a small constant, one initializer for all that are equal.
     *
     * @param data its elements
     * @return the initializer's name
     */
    public String constant(TensorData data) {
        String known = constants.get(data);
        if (known == null) {
            known = freshInitializer("constant/" + constants.size(), data);
            constants.put(data, known);
        }
        return known;
    }

    /**
     * Returns a float scalar.
     *
     * @param value its value
     * @return the initializer's name
     */
    public String scalar(float value) {
        return constant(TensorData.floats(new float[] {value}));
    }

    /**
     * Returns a list of whole numbers, as shapes and axes are given.
     *
     * @param values int64
     * @return the initializer's name
     */
    public String longs(long... values) {
        return constant(TensorData.longs(values, values.length));
    }

    /**
     * Adds a node with one output.
     *
     * @param op ONNX's own operator
     * @param output the wanted name of the output and of the node
     * @param inputs values by name; empty for an optional input that is left out
     * @param attributes of the operator
     * @return the name of the output
     */
    public String node(String op, String output, List<String> inputs, Attribute... attributes) {
        return nodes("", op, List.of(output), inputs, attributes).get(0);
    }

    /**
     * Adds a node.
     *
     * @param domain empty for ONNX's own operators, {@code com.microsoft} for ONNX Runtime's
     * @param op the operator
     * @param wanted names of the outputs, the first also for the node; empty for an output that is
     *     left out
     * @param inputs values by name; empty for an optional input that is left out
     * @param attributes of the operator
     * @return the names of the outputs
     */
    public List<String> nodes(
            String domain,
            String op,
            List<String> wanted,
            List<String> inputs,
            Attribute... attributes) {
        List<String> made = wanted.stream().map(n -> n.isEmpty() ? n : unique(n)).toList();
        NodeProto.Builder node = NodeProto.newBuilder().setOpType(op).setDomain(domain);
        node.setName(made.get(0)).addAllInput(inputs).addAllOutput(made);
        for (Attribute attribute : attributes) {
            node.addAttribute(attribute.proto());
        }
        nodes.add(node);
        madeByNodes.addAll(made);
        if (!domain.isEmpty()) {
            domains.put(domain, 1L);
        }
        return made;
    }

    /**
     * Adds an entry to the model's metadata.
     *
     * @param key of the entry; an earlier value is replaced
     * @param value of the entry
     */
    public void metadata(String key, String value) {
        metadata.put(key, value);
    }

    /**
     * Returns the number of nodes so far.
     *
     * @return nodes of the file
     */
    public int size() {
        return nodes.size();
    }

    /**
     * Returns how often each operator is there.
     *
     * @return counts by name
     */
    public Map<String, Integer> operatorCounts() {
        Map<String, Integer> counts = new TreeMap<>();
        nodes.forEach(n -> counts.merge(n.getOpType(), 1, Integer::sum));
        return counts;
    }

    /** The finished model. */
    ModelProto model(String name, String producerVersion) {
        GraphProto.Builder graph = GraphProto.newBuilder().setName(name);
        graph.addAllInput(inputs).addAllOutput(outputs).addAllInitializer(initializers.values());
        nodes.forEach(node -> graph.addNode(named(node)));
        ModelProto.Builder model =
                ModelProto.newBuilder()
                        .setIrVersion(version.ir())
                        .setProducerName("nni4j")
                        .setProducerVersion(producerVersion)
                        .addOpsetImport(opset("", version.opset()))
                        .setGraph(graph);
        domains.forEach((domain, number) -> model.addOpsetImport(opset(domain, number)));
        metadata.forEach(
                (key, value) ->
                        model.addMetadataProps(
                                StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
        return model.build();
    }

    private NodeProto named(NodeProto.Builder node) {
        NodeProto.Builder copy = node.clone();
        IntStream.range(0, copy.getInputCount())
                .forEach(i -> copy.setInput(i, name(copy.getInput(i))));
        IntStream.range(0, copy.getOutputCount())
                .forEach(i -> copy.setOutput(i, name(copy.getOutput(i))));
        return copy.build();
    }

    private String name(String value) {
        return renamed.getOrDefault(value, value);
    }

    private static OperatorSetIdProto opset(String domain, long version) {
        return OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version).build();
    }

    static TensorProto tensor(String name, TensorData data) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name);
        for (long dim : data.dims()) {
            tensor.addDims(dim);
        }
        return tensor.setDataType(data.type().code()).setRawData(data.bytes()).build();
    }

    private static ValueInfoProto info(String name, OnnxType type, List<String> dimensions) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (String dimension : dimensions) {
            TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
            boolean number = dimension.chars().allMatch(Character::isDigit);
            shape.addDim(
                    number
                            ? dim.setDimValue(Long.parseLong(dimension))
                            : dim.setDimParam(dimension));
        }
        TypeProto.Tensor.Builder tensor =
                TypeProto.Tensor.newBuilder().setElemType(type.code()).setShape(shape);
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }
}
