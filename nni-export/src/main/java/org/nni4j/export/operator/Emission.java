package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxGraph;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/** One traced operator while it is being written: what it reads, its attributes, its results. */
public final class Emission {

    private final NetworkEmitter emitter;
    private final Node node;
    private final List<Value> results;

    Emission(NetworkEmitter emitter, Node node, List<Value> results) {
        this.emitter = emitter;
        this.node = node;
        this.results = results;
    }

    /**
     * Returns the operator.
     *
     * @return the traced node
     */
    public Node node() {
        return node;
    }

    /**
     * Returns where nodes go.
     *
     * @return the graph under construction
     */
    public OnnxGraph onnx() {
        return emitter.onnx();
    }

    /**
     * Returns what is exported.
     *
     * @return the traced network
     */
    public TracedNetwork network() {
        return emitter.network();
    }

    /**
     * Returns the BatchNorm that is folded into this operator.
     *
     * @return empty if there is none
     */
    public Optional<Folding> folding() {
        return emitter.folding(node);
    }

    // ---- inputs

    /**
     * Returns the first input's value.
     *
     * @return the traced value
     */
    public Value first() {
        return node.inputs().get(0);
    }

    /**
     * Returns the first input.
     *
     * @return its name in the file
     */
    public String input() {
        return read(0);
    }

    /**
     * Returns an input by its role.
     *
     * @param role for instance {@code other}
     * @return its name in the file
     * @throws UnmappedException if it is not there
     */
    public String input(String role) {
        return optional(role)
                .orElseThrow(() -> new UnmappedException("has no tensor \"" + role + "\""));
    }

    /**
     * Returns an input by its role.
     *
     * @param role for instance {@code bias}
     * @return its name in the file; empty if it was left out
     */
    public Optional<String> optional(String role) {
        int i = node.roles().indexOf(role);
        return i < 0 ? Optional.empty() : Optional.of(read(i));
    }

    /**
     * Returns the inputs of a list argument.
     *
     * @param list for instance {@code arrays}, for the roles {@code arrays[0]}, …
     * @return names in the file
     */
    public List<String> inputs(String list) {
        return IntStream.range(0, node.inputs().size())
                .filter(i -> node.roles().get(i).startsWith(list + "["))
                .mapToObj(this::read)
                .toList();
    }

    /**
     * Returns the values of a list argument.
     *
     * @param list for instance {@code arrays}, for the roles {@code arrays[0]}, …
     * @return the traced values
     */
    public List<Value> values(String list) {
        return IntStream.range(0, node.inputs().size())
                .filter(i -> node.roles().get(i).startsWith(list + "["))
                .mapToObj(i -> node.inputs().get(i))
                .toList();
    }

    private String read(int i) {
        return emitter.read(node, node.roles().get(i), node.inputs().get(i));
    }

    /**
     * Writes a weight or bias.
     *
     * @param role {@code weight} or {@code bias}; for recurrent layers what it holds there
     * @param tensor name, shape and elements
     * @return the name of a float value
     */
    public String parameter(String role, ParameterTensor tensor) {
        return emitter.hooks().parameter(onnx(), node, role, tensor);
    }

    // ---- shapes

    /**
     * Returns a value's shape.
     *
     * @param value of the graph
     * @return its sizes as functions of the batch size
     */
    public List<Dimension> dimensions(Value value) {
        return network().dimensions(value);
    }

    /**
     * Returns the first result's shape.
     *
     * @return its sizes as functions of the batch size
     */
    public List<Dimension> outputDimensions() {
        return dimensions(node.outputs().get(0));
    }

    /**
     * Returns the first input's number of axes.
     *
     * @return its rank
     */
    public int rank() {
        return first().shape().dimension();
    }

    /**
     * Returns a list of sizes as a value: a constant, or computed from the batch size.
     *
     * @param sizes of a shape
     * @return the name of an int64 value
     */
    public String shape(List<Dimension> sizes) {
        return emitter.batch().shape(sizes);
    }

    // ---- attributes

    /**
     * Returns a whole number.
     *
     * @param name of the attribute
     * @return its value
     * @throws UnmappedException if there is no such attribute
     */
    public long number(String name) {
        return ((Number) attribute(name)).longValue();
    }

    /**
     * Returns a number.
     *
     * @param name of the attribute
     * @return its value
     * @throws UnmappedException if there is no such attribute
     */
    public float real(String name) {
        return ((Number) attribute(name)).floatValue();
    }

    /**
     * Returns a truth value.
     *
     * @param name of the attribute
     * @return its value
     * @throws UnmappedException if there is no such attribute
     */
    public boolean flag(String name) {
        return (Boolean) attribute(name);
    }

    /**
     * Tells whether an attribute was given.
     *
     * @param name of the attribute
     * @return whether it is there
     */
    public boolean has(String name) {
        return node.attributes().containsKey(name);
    }

    /**
     * Returns whole numbers, of a list or a shape.
     *
     * @param name of the attribute
     * @return its values
     * @throws UnmappedException if there is no such attribute
     */
    public long[] longs(String name) {
        return numbers(name).stream().mapToLong(Dimension::size).toArray();
    }

    /**
     * Returns whole numbers that may follow the batch size.
     *
     * @param name of the attribute
     * @return its values
     * @throws UnmappedException if there is no such attribute
     */
    public List<Dimension> numbers(String name) {
        return network().numbers(node, name).orElseThrow(() -> missing(name));
    }

    /**
     * Returns an attribute.
     *
     * @param name of the attribute
     * @return a number, boolean, text, shape, data type or list
     * @throws UnmappedException if there is no such attribute
     */
    public Object attribute(String name) {
        return network().attribute(node, name).orElseThrow(() -> missing(name));
    }

    private static UnmappedException missing(String name) {
        return new UnmappedException("has no attribute \"" + name + "\"");
    }

    /**
     * Returns an axis, counted from the front.
     *
     * @param name of the attribute
     * @return {@code 0..rank-1} of the first input
     * @throws UnmappedException if there is no such attribute
     */
    public int axis(String name) {
        return Math.floorMod((int) number(name), rank());
    }

    // ---- results

    /**
     * Adds a node whose output another node of this operator reads.
     *
     * @param op ONNX's operator
     * @param inputs values by name
     * @param attributes of the node
     * @return the name of its output
     */
    public String add(String op, List<String> inputs, Attribute... attributes) {
        return onnx().node(op, node.name() + "/" + op, inputs, attributes);
    }

    /**
     * Adds the node that makes the operator's only, or first, result.
     *
     * @param op ONNX's operator
     * @param inputs values by name
     * @param attributes of the node
     */
    public void result(String op, List<String> inputs, Attribute... attributes) {
        result(0, op, inputs, attributes);
    }

    /**
     * Adds the node that makes one of the operator's results.
     *
     * @param index which result
     * @param op ONNX's operator
     * @param inputs values by name
     * @param attributes of the node
     */
    public void result(int index, String op, List<String> inputs, Attribute... attributes) {
        bind(index, onnx().node(op, results.get(index).name(), inputs, attributes));
    }

    /**
     * Adds a node that makes all of the operator's results.
     *
     * @param op ONNX's operator
     * @param inputs values by name
     * @param attributes of the node
     */
    public void results(String op, List<String> inputs, Attribute... attributes) {
        List<String> names = new ArrayList<>();
        results.forEach(value -> names.add(value.name()));
        List<String> made = onnx().nodes("", op, names, inputs, attributes);
        IntStream.range(0, made.size()).forEach(i -> bind(i, made.get(i)));
    }

    /**
     * Says which value is the operator's only, or first, result.
     *
     * @param name in the file; may be the name of an input, for an operator that does nothing
     */
    public void bind(String name) {
        bind(0, name);
    }

    /**
     * Says which value is one of the operator's results.
     *
     * @param index which result
     * @param name in the file
     */
    public void bind(int index, String name) {
        emitter.bind(results.get(index), name);
    }

    /**
     * Says that one of the operator's results is not written, since nothing reads it.
     *
     * @param index which result
     */
    public void skip(int index) {
        emitter.skip(results.get(index));
    }

    // ---- types

    /**
     * Returns the type of the first result.
     *
     * @return the type
     */
    public OnnxType outputType() {
        return OnnxType.of(node.outputs().get(0).dataType());
    }

    /**
     * Converts a value where its type is another one.
     *
     * @param name the value
     * @param from its type
     * @param to the wanted type
     * @return the name of a value of that type
     */
    public String cast(String name, OnnxType from, OnnxType to) {
        return from == to ? name : add("Cast", List.of(name), Attribute.of("to", (long) to.code()));
    }

    /**
     * Returns a scalar constant.
     *
     * @param value its value; truncated for an integer type
     * @param type of the constant
     * @return its name
     * @throws UnmappedException for a type other than float32, bool, int8, uint8, int32 and int64
     */
    public String scalar(Number value, OnnxType type) {
        return switch (type) {
            case FLOAT32 -> onnx().scalar(value.floatValue());
            case INT64 -> onnx().constant(TensorData.longs(new long[] {value.longValue()}));
            case INT32 -> onnx().constant(TensorData.ints(new int[] {value.intValue()}));
            case BOOL, INT8, UINT8 ->
                    onnx().constant(TensorData.bytes(type, new byte[] {value.byteValue()}));
            default -> throw new UnmappedException("a number of type " + type);
        };
    }

    /** Names the operator and its layer. */
    @Override
    public String toString() {
        return node + " as " + Arrays.toString(results.toArray());
    }
}
