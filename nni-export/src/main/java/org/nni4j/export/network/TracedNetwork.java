package org.nni4j.export.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;
import org.nni4j.graph.Node;
import org.nni4j.graph.ParameterRead;
import org.nni4j.graph.Value;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

/**
 * A network as it is exported: its graph at one batch size, what differs at another one, and its
 * parameters.
 *
 * <p>The network is traced twice, with one sample more the second time. A number that differs
 * between the two graphs follows the batch size; all others do not. The first axis of each input is
 * the batch axis.
 */
public final class TracedNetwork {

    private final Graph graph;
    private final @Nullable Graph other;
    private final Map<Integer, Value> otherValues = new HashMap<>();
    private final Map<ParameterRead, Parameter> parameters;
    private final Map<ParameterRead, NDArray> replaced;
    private final List<String> obstacles;

    private TracedNetwork(
            Graph graph, @Nullable Graph other, Map<ParameterRead, Parameter> parameters) {
        this(
                graph,
                other,
                parameters,
                Map.of(),
                other == null ? List.of() : GraphDifferences.find(graph, other));
    }

    private TracedNetwork(
            Graph graph,
            @Nullable Graph other,
            Map<ParameterRead, Parameter> parameters,
            Map<ParameterRead, NDArray> replaced,
            List<String> obstacles) {
        this.graph = graph;
        this.parameters = parameters;
        this.replaced = Map.copyOf(replaced);
        this.obstacles = List.copyOf(obstacles);
        this.other = obstacles.isEmpty() ? other : null;
        if (this.other != null) {
            this.other.values().forEach(v -> otherValues.put(v.id(), v));
        }
    }

    /**
     * Traces a network at the batch size of the dummy inputs alone. Every shape is fixed.
     *
     * @param block initialized, and not quantized at the moment
     * @param inputs dummy inputs; left as they are
     * @return the network
     * @throws IllegalStateException as {@link GraphTracer#trace(Block, NDList)}
     */
    public static TracedNetwork fixed(Block block, NDList inputs) {
        return new TracedNetwork(GraphTracer.trace(block, inputs), null, parametersOf(block));
    }

    /**
     * Takes a graph that was traced before. Every shape is fixed.
     *
     * @param graph of an inference pass
     * @param block whose parameters it reads
     * @return the network
     */
    public static TracedNetwork of(Graph graph, Block block) {
        return new TracedNetwork(graph, null, parametersOf(block));
    }

    /**
     * Traces a network at two batch sizes, both larger than 1, since at 1 an axis may vanish or
     * broadcast that does not at others.
     *
     * @param block initialized, and not quantized at the moment
     * @param inputs dummy inputs of one batch size; left as they are
     * @return the network
     * @throws IllegalArgumentException if the inputs have no common first size, or it is 0
     * @throws IllegalStateException as {@link GraphTracer#trace(Block, NDList)}, for the dummy
     *     inputs
     */
    public static TracedNetwork anyBatch(Block block, NDList inputs) {
        long batch = Math.max(2, commonBatch(inputs));
        try (NDManager manager = inputs.head().getManager().newSubManager()) {
            Graph graph;
            Graph other;
            try {
                graph = GraphTracer.trace(block, resized(inputs, batch, manager));
                other = GraphTracer.trace(block, resized(inputs, batch + 1, manager));
            } catch (IllegalStateException e) {
                // If it fails on the user's own inputs too, that is another error.
                Graph own = GraphTracer.trace(block, inputs);
                return new TracedNetwork(
                        own, null, parametersOf(block), Map.of(), List.of(e.getMessage()));
            }
            return new TracedNetwork(graph, other, parametersOf(block));
        }
    }

    private static long commonBatch(NDList inputs) {
        List<Shape> shapes = List.of(inputs.getShapes());
        boolean common =
                shapes.stream().allMatch(s -> s.dimension() > 0)
                        && shapes.stream().mapToLong(s -> s.get(0)).distinct().count() == 1;
        if (!common) {
            throw new IllegalArgumentException(
                    "inputs of shapes "
                            + shapes
                            + " have no common batch size; expected the same first size in all, or"
                            + " ask for a fixed batch");
        }
        if (shapes.get(0).get(0) < 1) {
            throw new IllegalArgumentException(
                    "inputs of shapes "
                            + shapes
                            + " hold nothing; expected a batch size of at least 1");
        }
        return shapes.get(0).get(0);
    }

    /* Rows are repeated, so that indices stay valid. */
    private static NDList resized(NDList inputs, long batch, NDManager manager) {
        NDList resized = new NDList();
        for (NDArray input : inputs) {
            long[] rows =
                    IntStream.range(0, (int) batch).mapToLong(i -> i % input.size(0)).toArray();
            NDArray array =
                    input.get(
                            manager, new ai.djl.ndarray.index.NDIndex("{}", manager.create(rows)));
            array.attach(manager);
            resized.add(array);
        }
        return resized;
    }

    private static Map<ParameterRead, Parameter> parametersOf(Block block) {
        LayerTree tree = LayerTree.of(block);
        List<Layer> layers = new ArrayList<>(tree.layers());
        layers.add(tree.root());
        Map<ParameterRead, Parameter> parameters = new HashMap<>();
        for (Layer layer : layers) {
            layer.parameters()
                    .forEach((name, p) -> parameters.put(new ParameterRead(layer.path(), name), p));
        }
        return parameters;
    }

    /**
     * Returns the operators.
     *
     * @return the graph at the first batch size
     */
    public Graph graph() {
        return graph;
    }

    /**
     * Tells whether the network was traced at two batch sizes that go together.
     *
     * @return false for a fixed batch, and where there are {@link #obstacles()}
     */
    public boolean anyBatch() {
        return other != null;
    }

    /**
     * Returns why the network is not the same at both batch sizes, or fails at one.
     *
     * @return empty if it is, or if one batch size was asked for
     */
    public List<String> obstacles() {
        return obstacles;
    }

    /**
     * Returns a value's shape.
     *
     * @param value of the graph
     * @return its sizes as functions of the batch size
     * @throws BatchDependenceException if a size is no linear function of it
     */
    public List<Dimension> dimensions(Value value) {
        Shape shape = value.shape();
        Shape otherShape = other(value).shape();
        return IntStream.range(0, shape.dimension())
                .mapToObj(i -> dimension(shape.get(i), otherShape.get(i)))
                .toList();
    }

    /**
     * Returns the numbers of an attribute.
     *
     * @param node of the graph
     * @param name of the attribute, which is a number, a shape or a list of numbers
     * @return the numbers as functions of the batch size; empty if there is no such attribute
     * @throws BatchDependenceException if a number is no linear function of it
     */
    public Optional<List<Dimension>> numbers(Node node, String name) {
        Object attribute = node.attributes().get(name);
        if (attribute == null) {
            return Optional.empty();
        }
        List<Long> seen = longs(node, name, attribute);
        List<Long> otherSeen = longs(node, name, otherAttribute(node, name));
        if (seen.size() != otherSeen.size()) {
            throw new BatchDependenceException(
                    name + " is " + seen + " at one batch size and " + otherSeen + " at another");
        }
        return Optional.of(
                IntStream.range(0, seen.size())
                        .mapToObj(i -> dimension(seen.get(i), otherSeen.get(i)))
                        .toList());
    }

    /**
     * Returns an attribute that is not to follow the batch size.
     *
     * @param node of the graph
     * @param name of the attribute
     * @return empty if there is no such attribute
     * @throws BatchDependenceException if it differs at another batch size
     */
    public Optional<Object> attribute(Node node, String name) {
        Object attribute = node.attributes().get(name);
        if (attribute == null) {
            return Optional.empty();
        }
        Object otherAttribute = otherAttribute(node, name);
        if (!attribute.equals(otherAttribute)) {
            throw new BatchDependenceException(
                    name
                            + " is "
                            + attribute
                            + " at one batch size and "
                            + otherAttribute
                            + " at another");
        }
        return Optional.of(attribute);
    }

    /**
     * Returns the same constant at the other batch size.
     *
     * @param value of the graph
     * @return the value itself for a fixed batch
     */
    public Value other(Value value) {
        return other == null
                ? value
                : Objects.requireNonNull(otherValues.get(value.id()), value.name());
    }

    /**
     * Returns the same network with other values in some parameters.
     *
     * @param values of the parameters' shapes; not copied
     * @return a view; this network stays as it is
     */
    public TracedNetwork withParameters(Map<ParameterRead, NDArray> values) {
        return new TracedNetwork(graph, other, parameters, values, obstacles);
    }

    /**
     * Returns a parameter's array.
     *
     * @param read which parameter
     * @return the network's own array; not to be closed
     * @throws IllegalArgumentException if the network has no such parameter
     */
    public NDArray parameter(ParameterRead read) {
        NDArray value = replaced.get(read);
        if (value != null) {
            return value;
        }
        Parameter parameter = parameters.get(read);
        if (parameter == null) {
            throw new IllegalArgumentException("the network has no parameter \"" + read + "\"");
        }
        return parameter.getArray();
    }

    private Object otherAttribute(Node node, String name) {
        Graph from = other == null ? graph : other;
        Object attribute = from.nodes().get(node.index()).attributes().get(name);
        if (attribute == null) {
            throw new BatchDependenceException(name + " is not there at another batch size");
        }
        return attribute;
    }

    private Dimension dimension(long seen, long otherSeen) {
        if (other == null || seen == otherSeen) {
            return Dimension.fixed(seen);
        }
        return Dimension.through(batchOf(graph), seen, batchOf(other), otherSeen);
    }

    private static long batchOf(Graph graph) {
        return graph.inputs().get(0).shape().get(0);
    }

    private static List<Long> longs(Node node, String name, Object attribute) {
        if (attribute instanceof Number number) {
            return List.of(number.longValue());
        }
        if (attribute instanceof Shape shape) {
            return java.util.Arrays.stream(shape.getShape()).boxed().toList();
        }
        if (attribute instanceof List<?> list && list.stream().allMatch(Number.class::isInstance)) {
            return list.stream().map(n -> ((Number) n).longValue()).toList();
        }
        throw new IllegalArgumentException(
                "node " + node.name() + ": attribute " + name + " holds no numbers: " + attribute);
    }
}
