package org.nni4j.export.integer;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/** Says why an operator of an exported model runs in float. */
public final class FloatReasons {

    /** What ONNX Runtime has integer kernels for, on the processor. */
    private static final Set<String> WITH_KERNEL =
            Set.of(
                    "Conv",
                    "Linear",
                    "MatMul",
                    "BatchMatMul",
                    "Add",
                    "Mul",
                    "GlobalAvgPool",
                    "AvgPool",
                    "Concat",
                    "MaxPool",
                    "Sigmoid",
                    "LeakyRelu",
                    "Softmax");

    private final IntegerEmission emission;
    private final Graph graph;

    /**
     * Prepares.
     *
     * @param emission that wrote the model
     */
    public FloatReasons(IntegerEmission emission) {
        this.emission = emission;
        this.graph = emission.placement().graph();
    }

    /**
     * A layer that stayed in float.
     *
     * @param layer its path; the operator's name where it is in no layer
     * @param operators what runs in float there
     * @param reason why
     */
    public record FloatLayer(String layer, String operators, String reason) {

        /**
         * Prints what stayed in float.
         *
         * @param layers of one model
         * @return one line each, or one that says that there is none
         */
        public static String lines(List<FloatLayer> layers) {
            return layers.isEmpty()
                    ? "no operator runs in float"
                    : layers.stream()
                            .map(
                                    f ->
                                            "  in float: "
                                                    + f.layer
                                                    + " ("
                                                    + f.operators
                                                    + "), "
                                                    + f.reason)
                            .collect(Collectors.joining(System.lineSeparator()));
        }
    }

    /**
     * Explains what a census found.
     *
     * @param census of the model
     * @return one entry for each traced operator that runs in float
     */
    public List<FloatLayer> explain(OperatorCensus census) {
        return explain(
                census, name -> tracedOperator(graph, name).map(this::layerNode), this::reason);
    }

    /**
     * Explains what a census found, by reasons of the caller's.
     *
     * @param census of the model
     * @param traced finds the operator that stands for a node of the model, by its name
     * @param reason why such an operator runs in float
     * @return one entry for each traced operator that runs in float
     */
    public static List<FloatLayer> explain(
            OperatorCensus census,
            Function<String, Optional<Node>> traced,
            Function<Node, String> reason) {
        Set<FloatLayer> all = new LinkedHashSet<>();
        for (OperatorCensus.FloatOperator operator : census.floats()) {
            Optional<Node> node = traced.apply(operator.name());
            String layer =
                    node.map(n -> n.layer().isEmpty() ? n.name() : n.layer())
                            .orElse(operator.name());
            all.add(
                    new FloatLayer(
                            layer,
                            operator.op(),
                            node.map(reason).orElse("it belongs to no traced operator")));
        }
        return List.copyOf(all);
    }

    /**
     * Finds the traced operator whose name is the longest in a node's name. Looking for each part
     * of the name takes no longer the more operators there are.
     *
     * @param graph what was traced
     * @param name of a node that ONNX Runtime executes; several may be fused in it
     * @return empty if it is no traced operator's
     */
    public static Optional<Node> tracedOperator(Graph graph, String name) {
        for (int length = name.length(); length > 0; length--) {
            for (int begin = 0; begin + length <= name.length(); begin++) {
                Optional<Node> node = graph.find(name.substring(begin, begin + length));
                if (node.isPresent()) {
                    return node;
                }
            }
        }
        return Optional.empty();
    }

    /** A layer with a folded BatchNorm is written under the BatchNorm's name. */
    private Node layerNode(Node node) {
        return node.op().equals("BatchNorm")
                ? graph.producer(node.inputs().get(0))
                        .filter(p -> emission.weightOf(p).isPresent())
                        .orElse(node)
                : node;
    }

    private String reason(Node node) {
        String weight = weightReason(node);
        if (weight != null) {
            return weight;
        }
        for (int i = 0; i < node.inputs().size(); i++) {
            Value value = node.inputs().get(i);
            boolean flows = value.kind() == Value.Kind.INPUT || value.kind() == Value.Kind.COMPUTED;
            if (flows && value.dataType().isFloating()) {
                String input = inputReason(node, i);
                if (input != null) {
                    return input;
                }
            }
        }
        if (!WITH_KERNEL.contains(node.op())) {
            return "the runtime has no integer kernel for " + node.op();
        }
        return resultReason(node);
    }

    private @Nullable String weightReason(Node node) {
        boolean weighted = node.input("weight").flatMap(Value::parameter).isPresent();
        if (!weighted) {
            return null;
        }
        Optional<WeightCodes> codes = emission.weightOf(node);
        if (codes.isEmpty()) {
            return "its weight is not quantized";
        }
        if (emission.storesFourBits() && codes.get().type(true) == OnnxType.INT4) {
            return "its weight is stored in four bits, for which the runtime has no integer kernel";
        }
        String obstacle = codes.get().obstacle();
        return obstacle == null ? emission.floatBias(node).orElse(null) : obstacle;
    }

    private @Nullable String inputReason(Node node, int i) {
        Placement placement = emission.placement();
        Optional<TensorCodes> codes =
                placement.read(node, i).or(() -> placement.made(node.inputs().get(i)));
        if (codes.isEmpty()) {
            return "its input \"" + node.roles().get(i) + "\" is not quantized";
        }
        if (!codes.get().isPerTensor()) {
            return "its input \"" + node.roles().get(i) + "\" has a scale for each channel";
        }
        return codes.get().carrier().bits() > 8
                ? "its input \"" + node.roles().get(i) + "\" has more than 8 bits"
                : null;
    }

    private String resultReason(Node node) {
        Value result = emission.placement().result(node);
        Set<Optional<TensorCodes>> views = emission.placement().views(result);
        if (views.contains(Optional.<TensorCodes>empty())) {
            String readers =
                    graph.consumers(result).stream()
                            .filter(n -> readsInFloat(n, result))
                            .map(Node::name)
                            .collect(Collectors.joining(", "));
            return readers.isEmpty()
                    ? "its result is the network's output and stays in float"
                    : "its result is read in float by " + readers;
        }
        if (views.size() > 1) {
            return "its result is quantized in "
                    + views.size()
                    + " ways, with a scale each, as it was trained";
        }
        boolean relu = graph.producer(result).filter(n -> n.op().equals("Relu")).isPresent();
        if (relu && !views.iterator().next().orElseThrow().startsAtZero()) {
            return "its ReLU is computed in float, since 0 is not the smallest integer of the"
                    + " result; ask for unsigned ones";
        }
        return "the runtime did not take it";
    }

    private boolean readsInFloat(Node node, Value value) {
        for (int i = 0; i < node.inputs().size(); i++) {
            if (node.inputs().get(i).id() == value.id()
                    && emission.placement().read(node, i).isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
