package org.nni4j.export.integer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.config.QuantType;
import org.nni4j.export.integer.LayerTensors.Use;
import org.nni4j.fakequant.TensorTap.Side;
import org.nni4j.graph.BatchNormFold;
import org.nni4j.graph.BatchNormPattern;
import org.nni4j.graph.Graph;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;

/**
 * How each operator of a graph sees each tensor: quantized as training had it, and where operators
 * only move elements or keep their order, quantized before them too, so that they run on integers.
 */
final class Placement {

    /** {@code Q(f(x)) = f(Q(x))}: they move elements, or pick the largest. */
    private static final Set<String> TRANSPARENT =
            Set.of(
                    "MaxPool",
                    "GlobalMaxPool",
                    "Reshape",
                    "Flatten",
                    "Transpose",
                    "ExpandDims",
                    "Squeeze",
                    "Slice",
                    "Split",
                    "Concat",
                    "Stack",
                    "Dropout");

    /** What a runtime takes into the operator before it. */
    private static final Set<String> JOINED = Set.of("BatchNorm", "Relu", "Minimum", "Clip");

    private final Graph graph;
    private final Map<Use, TensorCodes> reads = new HashMap<>();
    private final Map<Integer, TensorCodes> made = new HashMap<>();
    private final Map<Use, List<TensorSite>> readSites = new HashMap<>();
    private final Map<Integer, List<TensorSite>> madeSites = new HashMap<>();
    private final Map<String, BatchNormFold> folds = new HashMap<>();

    /** Whether a site keeps only the sign. */
    @FunctionalInterface
    interface SignTest {
        boolean keepsSign(TensorSite site);
    }

    Placement(Graph graph, CalibrationConfig calibration, SignTest signs) {
        this.graph = graph;
        BatchNormPattern.findAll(graph).folds().forEach(f -> folds.put(f.layer(), f));
        LayerNodes layers = new LayerNodes(graph.nodes());
        calibration.layers().forEach(layer -> place(layer, layers, signs));
        moveUpstream();
    }

    private void place(CalibratedLayer layer, LayerNodes layers, SignTest signs) {
        Optional<Node> operator =
                graph.find(layer.path()).filter(node -> node.op().equals(layer.type()));
        List<LayerTensors> runs =
                operator.map(node -> LayerTensors.ofOperator(layers, node))
                        .orElseGet(() -> LayerTensors.ofLayer(graph, layers, layer.path()));
        for (int run = 0; run < runs.size(); run++) {
            for (CalibratedTensor tensor : layer.tensors()) {
                if (tensor.quantType() != QuantType.WEIGHT) {
                    place(layer, runs.get(run), run, tensor, signs);
                }
            }
        }
    }

    private void place(
            CalibratedLayer layer,
            LayerTensors tensors,
            int run,
            CalibratedTensor tensor,
            SignTest signs) {
        int position = Integer.parseInt(tensor.tensor());
        boolean input = tensor.quantType() == QuantType.INPUT;
        TensorSite site =
                new TensorSite(layer.path(), input ? Side.INPUT : Side.OUTPUT, position, run);
        TensorCodes codes = TensorCodes.of(tensor.calibration(), signs.keepsSign(site));
        if (input) {
            for (int at : positions(layer, tensors, position)) {
                TensorSite seen = new TensorSite(layer.path(), Side.INPUT, at, run);
                for (Use use : tensors.inputs().get(at)) {
                    reads.put(use, codes);
                    readSites.computeIfAbsent(use, u -> new ArrayList<>()).add(seen);
                }
            }
        } else {
            Value value = output(layer, tensors, position);
            made.put(value.id(), codes);
            madeSites.computeIfAbsent(value.id(), v -> new ArrayList<>()).add(site);
        }
    }

    /** With a shared scale, position 0 stands for all inputs. */
    private static List<Integer> positions(
            CalibratedLayer layer, LayerTensors tensors, int position) {
        if (position >= tensors.inputs().size()) {
            throw new IllegalArgumentException(
                    "layer \""
                            + layer.path()
                            + "\" has a calibrated input "
                            + position
                            + ", but "
                            + tensors.inputs().size()
                            + " inputs in the traced network");
        }
        long calibrated =
                layer.tensors().stream().filter(t -> t.quantType() == QuantType.INPUT).count();
        List<Integer> all = new ArrayList<>(List.of(position));
        for (int i = 1; calibrated == 1 && i < tensors.inputs().size(); i++) {
            if (tensors.inputs().get(i).get(0).value().dataType().isFloating()) {
                all.add(i);
            }
        }
        return all;
    }

    private Value output(CalibratedLayer layer, LayerTensors tensors, int position) {
        BatchNormFold fold = folds.get(layer.path());
        if (fold != null && fold.batchNorm().equals(layer.foldedBatchNorm())) {
            return fold.batchNormNode().output();
        }
        if (position >= tensors.outputs().size()) {
            throw new IllegalArgumentException(
                    "layer \""
                            + layer.path()
                            + "\" has a calibrated output "
                            + position
                            + ", but "
                            + tensors.outputs().size()
                            + " outputs in the traced network");
        }
        return tensors.outputs().get(position);
    }

    private void moveUpstream() {
        List<Node> nodes = graph.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            common(node)
                    .filter(codes -> passes(node, codes))
                    .ifPresent(codes -> before(node, codes));
        }
    }

    private void before(Node node, TensorCodes codes) {
        for (int i = 0; i < node.inputs().size(); i++) {
            Value value = node.inputs().get(i);
            boolean flows = value.kind() == Value.Kind.INPUT || value.kind() == Value.Kind.COMPUTED;
            if (flows && value.dataType().isFloating()) {
                reads.putIfAbsent(new Use(node, i), codes);
            }
        }
    }

    private boolean passes(Node node, TensorCodes codes) {
        if (!codes.isPerTensor() || codes.sign()) {
            return false;
        }
        if (TRANSPARENT.contains(node.op())) {
            return true;
        }
        // A ReLU behind a convolution or an addition belongs to that operator; only behind one that
        // moves elements it would be in the way.
        return node.op().equals("Relu")
                && codes.startsAtZero()
                && graph.producer(node.inputs().get(0))
                        .filter(p -> TRANSPARENT.contains(p.op()))
                        .isPresent();
    }

    /** How everybody sees an operator's results, if everybody sees them alike. */
    Optional<TensorCodes> common(Node node) {
        Set<Optional<TensorCodes>> all = new LinkedHashSet<>();
        for (Value value : node.outputs()) {
            all.addAll(views(value));
        }
        return all.size() == 1 ? all.iterator().next() : Optional.empty();
    }

    /** How a value is seen: by each reader, and as the network's output. */
    Set<Optional<TensorCodes>> views(Value value) {
        Set<Optional<TensorCodes>> all = new LinkedHashSet<>();
        TensorCodes own = made.get(value.id());
        if (own != null) {
            all.add(Optional.of(own));
            return all;
        }
        if (graph.outputs().stream().anyMatch(o -> o.id() == value.id())) {
            all.add(Optional.empty());
        }
        for (Node reader : graph.consumers(value)) {
            for (int i = 0; i < reader.inputs().size(); i++) {
                if (reader.inputs().get(i).id() == value.id()) {
                    all.add(Optional.ofNullable(reads.get(new Use(reader, i))));
                }
            }
        }
        return all;
    }

    /** What comes out of an operator with the normalization and activation that belong to it. */
    Value result(Node node) {
        Value result = node.outputs().get(0);
        while (made(result).isEmpty()) {
            List<Node> readers = graph.consumers(result);
            if (readers.size() != 1 || !JOINED.contains(readers.get(0).op())) {
                break;
            }
            result = readers.get(0).outputs().get(0);
        }
        return result;
    }

    /** How an operator sees an input; empty for in float. */
    Optional<TensorCodes> read(Node node, int input) {
        return Optional.ofNullable(reads.get(new Use(node, input)));
    }

    /** How a value is quantized when it is made, for all its readers. */
    Optional<TensorCodes> made(Value value) {
        return Optional.ofNullable(made.get(value.id()));
    }

    List<TensorSite> sites(Node node, int input) {
        return readSites.getOrDefault(new Use(node, input), List.of());
    }

    List<TensorSite> sites(Value value) {
        return madeSites.getOrDefault(value.id(), List.of());
    }

    /** How an operator sees its data input, after whatever quantized it where it was made. */
    Optional<TensorCodes> input(Node node) {
        return read(node, 0).or(() -> made(node.inputs().get(0)));
    }

    Graph graph() {
        return graph;
    }
}
