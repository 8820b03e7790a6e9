package org.nni4j.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Every BatchNorm of a graph: those that can be folded into the layer before them, and why the
 * others cannot.
 *
 * @param folds in execution order
 * @param refusals in execution order
 */
public record BatchNormPattern(List<BatchNormFold> folds, List<FoldRefusal> refusals) {

    private static final Set<String> FOLDABLE = Set.of("Conv", "Linear");

    /** Copies. */
    public BatchNormPattern {
        folds = List.copyOf(folds);
        refusals = List.copyOf(refusals);
    }

    /**
     * Finds convolutions (1d, 2d, 3d) and linear layers whose only reader is a BatchNorm over their
     * output channels, in whatever containers the two sit.
     *
     * @param graph of an inference or a training pass
     * @return each BatchNorm operator once, as a fold or as a refusal
     */
    public static BatchNormPattern findAll(Graph graph) {
        List<BatchNormFold> folds = new ArrayList<>();
        List<FoldRefusal> refusals = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (node.op().equals("BatchNorm")) {
                String layer = owner(node, "runningMean").orElse(node.layer());
                Optional<String> reason = new Candidate(graph, node).refuse();
                if (reason.isPresent()) {
                    refusals.add(new FoldRefusal(layer, node, reason.get()));
                } else {
                    folds.add(fold(graph, node, layer));
                }
            }
        }
        return new BatchNormPattern(folds, refusals);
    }

    private static BatchNormFold fold(Graph graph, Node batchNorm, String path) {
        Node before = graph.producer(batchNorm.inputs().get(0)).orElseThrow();
        String layer = owner(before, "weight").orElseThrow();
        return new BatchNormFold(layer, path, before, batchNorm, activation(graph, batchNorm));
    }

    /* DJL's ReLU6 is a ReLU and a minimum; a clip does the same. */
    private static List<Node> activation(Graph graph, Node batchNorm) {
        Optional<Node> first = onlyReader(graph, batchNorm);
        if (first.filter(n -> n.op().equals("Clip") && bound(n, "min") == 0 && bound(n, "max") == 6)
                .isPresent()) {
            return first.stream().toList();
        }
        Optional<Node> relu = first.filter(n -> n.op().equals("Relu"));
        Optional<Node> minimum =
                relu.flatMap(n -> onlyReader(graph, n))
                        .filter(n -> n.op().equals("Minimum") && bound(n, "other") == 6);
        return Stream.concat(relu.stream(), minimum.stream()).toList();
    }

    private static Optional<Node> onlyReader(Graph graph, Node node) {
        List<Node> readers = graph.consumers(node.output());
        boolean alone = readers.size() == 1 && !graph.outputs().contains(node.output());
        return alone ? Optional.of(readers.get(0)) : Optional.empty();
    }

    private static double bound(Node node, String name) {
        return node.attributes().get(name) instanceof Number n ? n.doubleValue() : Double.NaN;
    }

    private static Optional<String> owner(Node node, String role) {
        return node.input(role).flatMap(Value::parameter).map(ParameterRead::layer);
    }

    /** One BatchNorm under examination. */
    private record Candidate(Graph graph, Node batchNorm) {

        /** Why it cannot be folded; empty if it can. */
        Optional<String> refuse() {
            Value input = batchNorm.inputs().get(0);
            Node before = graph.producer(input).orElse(null);
            if (before == null) {
                return Optional.of(
                        "it reads " + input.name() + ", not a convolution or linear layer");
            }
            if (!FOLDABLE.contains(before.op())) {
                return Optional.of(
                        "it follows " + before.name() + ", not a convolution or linear layer");
            }
            return statistics()
                    .or(() -> weight(before))
                    .or(() -> readers(before))
                    .or(() -> uses(before, "weight", "the weight"))
                    .or(() -> uses(batchNorm, "runningMean", "the statistics"))
                    .or(() -> axis(before));
        }

        private Optional<String> statistics() {
            boolean running =
                    owner(batchNorm, "runningMean").isPresent()
                            && owner(batchNorm, "runningVar").isPresent();
            if (!running) {
                return Optional.of("it has no running statistics");
            }
            for (String role : List.of("gamma", "beta")) {
                if (batchNorm.input(role).isPresent() && owner(batchNorm, role).isEmpty()) {
                    return Optional.of("its " + role + " is computed, not a parameter");
                }
            }
            boolean onBatch = Boolean.TRUE.equals(batchNorm.attributes().get("training"));
            return onBatch && !graph.training()
                    ? Optional.of("it uses batch statistics in inference too")
                    : Optional.empty();
        }

        private static Optional<String> weight(Node before) {
            return owner(before, "weight").isPresent()
                    ? Optional.empty()
                    : Optional.of(
                            "the weight of " + before.name() + " is computed, not a parameter");
        }

        private Optional<String> readers(Node before) {
            Value output = before.output();
            String what = "the output of " + before.name();
            if (graph.outputs().contains(output)) {
                return Optional.of(what + " is also an output of the network");
            }
            Optional<Node> other =
                    graph.consumers(output).stream().filter(n -> !n.equals(batchNorm)).findFirst();
            if (other.isPresent()) {
                return Optional.of(what + " is also read by " + other.get().name());
            }
            return graph.readbacks().stream()
                    .filter(r -> r.value().equals(output))
                    .findFirst()
                    .map(
                            r ->
                                    what
                                            + " is also "
                                            + (r.kind() == Readback.Kind.READ
                                                    ? "read by "
                                                    : "used by ")
                                            + r.method());
        }

        private Optional<String> uses(Node node, String role, String what) {
            List<Node> users = node.input(role).map(graph::consumers).orElse(List.of());
            return users.stream()
                    .filter(user -> !user.equals(node))
                    .findFirst()
                    .map(
                            user ->
                                    what
                                            + " of "
                                            + node.name()
                                            + (user.layer().equals(node.layer())
                                                    ? " is used in "
                                                            + users.size()
                                                            + " runs of the layer"
                                                    : " is shared with " + user.name()));
        }

        /* PyTorch normalizes over axis 1; -1 is how DJL asks for that. A linear layer's channels are its last axis. */
        private Optional<String> axis(Node before) {
            int channels = before.op().equals("Conv") ? 1 : before.output().shape().dimension() - 1;
            long given = batchNorm.attributes().get("axis") instanceof Number n ? n.longValue() : 1;
            long axis = given == -1 ? 1 : given;
            return axis == channels
                    ? Optional.empty()
                    : Optional.of(
                            "its axis "
                                    + axis
                                    + " is not the channel axis "
                                    + channels
                                    + " of "
                                    + before.name());
        }
    }
}
