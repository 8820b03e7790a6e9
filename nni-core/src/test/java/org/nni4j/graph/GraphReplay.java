package org.nni4j.graph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.recurrent.RNN;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;

/**
 * Computes a graph from its data alone, as an exporter would: what a node does not say cannot be
 * computed.
 */
final class GraphReplay {

    private final NDManager manager;
    private final Map<Integer, NDArray> values = new HashMap<>();

    private GraphReplay(NDManager manager) {
        this.manager = manager;
    }

    static NDList run(Graph graph, Block block, NDList inputs, NDManager manager) {
        GraphReplay replay = new GraphReplay(manager);
        Map<ParameterRead, Parameter> parameters = parameters(block);
        for (Value value : graph.values()) {
            value.parameter()
                    .map(read -> Objects.requireNonNull(parameters.get(read), read.toString()))
                    .ifPresent(p -> replay.put(value, p.getArray().stopGradient().duplicate()));
            value.constant().ifPresent(c -> replay.put(value, replay.constant(value, c)));
        }
        for (int i = 0; i < inputs.size(); i++) {
            replay.put(graph.inputs().get(i), inputs.get(i).duplicate());
        }
        graph.nodes().forEach(replay::compute);
        NDList outputs = new NDList();
        graph.outputs().forEach(v -> outputs.add(replay.get(v)));
        return outputs;
    }

    private static Map<ParameterRead, Parameter> parameters(Block block) {
        LayerTree tree = LayerTree.of(block);
        List<Layer> layers = new ArrayList<>(tree.layers());
        layers.add(tree.root());
        Map<ParameterRead, Parameter> parameters = new HashMap<>();
        layers.forEach(
                l ->
                        l.parameters()
                                .forEach(
                                        (n, p) ->
                                                parameters.put(new ParameterRead(l.path(), n), p)));
        return parameters;
    }

    private void put(Value value, NDArray array) {
        array.attach(manager);
        values.put(value.id(), array);
    }

    private NDArray get(Value value) {
        return Objects.requireNonNull(values.get(value.id()), value.name());
    }

    private NDArray constant(Value value, Constant constant) {
        return switch (constant.method()) {
            case "zeros" -> manager.zeros(value.shape(), value.dataType());
            case "ones" -> manager.ones(value.shape(), value.dataType());
            default -> {
                ByteBuffer data = constant.buffer().orElseThrow();
                ByteBuffer direct = manager.allocateDirect(data.remaining());
                direct.put(data).rewind();
                yield manager.create(direct, value.shape(), value.dataType());
            }
        };
    }

    private void compute(Node node) {
        NDList made = new Call(node).compute();
        for (int i = 0; i < node.outputs().size(); i++) {
            Value output = node.outputs().get(i);
            NDArray array = made.get(i);
            if (!array.getShape().equals(output.shape())
                    || array.getDataType() != output.dataType()) {
                throw new AssertionError(
                        node + " gave " + array.getShape() + " " + array.getDataType());
            }
            put(output, array);
        }
    }

    /** One node, by its attributes and roles. */
    private final class Call {
        private final Node node;
        private final NDArray x;
        private final NDArrayEx ex;

        Call(Node node) {
            this.node = node;
            this.x = get(node.inputs().get(0));
            this.ex = x.getNDArrayInternal();
        }

        NDList compute() {
            return switch (node.op()) {
                case "Conv" ->
                        ex.convolution(
                                x,
                                in("weight"),
                                orNull("bias"),
                                shape("stride"),
                                shape("padding"),
                                shape("dilation"),
                                num("groups"));
                case "Linear" -> ex.linear(x, in("weight"), orNull("bias"));
                case "Embedding" -> ex.embedding(x, in("weight"), SparseFormat.DENSE);
                case "Dropout" -> new NDList(x);
                case "LayerNorm" ->
                        ex.layerNorm(
                                x,
                                shape("normalizedShape"),
                                in("gamma"),
                                in("beta"),
                                real("epsilon"));
                case "BatchNorm" ->
                        ex.batchNorm(
                                x,
                                in("runningMean"),
                                in("runningVar"),
                                orNull("gamma"),
                                orNull("beta"),
                                num("axis"),
                                real("momentum"),
                                real("epsilon"),
                                flag("training"));
                case "Lstm" ->
                        ex.lstm(
                                x,
                                all("states["),
                                all("params["),
                                flag("hasBiases"),
                                num("numLayers"),
                                0,
                                false,
                                flag("bidirectional"),
                                flag("batchFirst"));
                case "Gru" ->
                        ex.gru(
                                x,
                                in("state"),
                                all("params["),
                                flag("hasBiases"),
                                num("numLayers"),
                                0,
                                false,
                                flag("bidirectional"),
                                flag("batchFirst"));
                case "Rnn" ->
                        ex.rnn(
                                x,
                                in("state"),
                                all("params["),
                                flag("hasBiases"),
                                num("numLayers"),
                                RNN.Activation.valueOf(text("activation")),
                                0,
                                false,
                                flag("bidirectional"),
                                flag("batchFirst"));
                case "Split" ->
                        node.attributes().containsKey("sections")
                                ? x.split((long) num("sections"), num("axis"))
                                : x.split(longs("indices"), num("axis"));
                default -> new NDList(single());
            };
        }

        private NDArray single() {
            return switch (node.op()) {
                case "Add" -> other().map(x::add, x::add);
                case "Sub" -> other().map(x::sub, x::sub);
                case "Mul" -> other().map(x::mul, x::mul);
                case "Div" -> other().map(x::div, x::div);
                case "Minimum" -> other().map(x::minimum, x::minimum);
                case "Maximum" -> other().map(x::maximum, x::maximum);
                case "Pow" -> other().map(x::pow, x::pow);
                case "MatMul" -> x.matMul(in("other"));
                case "Relu" -> ex.relu();
                case "Sigmoid" -> ex.sigmoid();
                case "Tanh" -> x.tanh();
                case "Gelu" -> ex.gelu();
                case "Swish" -> ex.swish(real("beta"));
                case "Mish" -> ex.mish();
                case "LeakyRelu" -> ex.leakyRelu(real("alpha"));
                case "Softplus" -> ex.softPlus();
                case "Softmax" -> x.softmax(num("axis"));
                case "LogSoftmax" -> x.logSoftmax(num("axis"));
                case "MaxPool" ->
                        ex.maxPool(
                                shape("kernel"),
                                shape("stride"),
                                shape("padding"),
                                flag("ceilMode"));
                case "AvgPool" ->
                        ex.avgPool(
                                shape("kernel"),
                                shape("stride"),
                                shape("padding"),
                                flag("ceilMode"),
                                flag("countIncludePad"));
                case "GlobalAvgPool" -> ex.globalAvgPool();
                case "GlobalMaxPool" -> ex.globalMaxPool();
                case "Interpolate" ->
                        ex.interpolation(longs("size"), num("mode"), flag("alignCorners"));
                case "MultiBoxPrior" ->
                        ex.multiBoxPrior(
                                        floats("sizes"),
                                        floats("ratios"),
                                        floats("steps"),
                                        floats("offsets"),
                                        flag("clip"))
                                .head();
                case "Reshape" -> x.reshape(longs("shape"));
                case "Flatten" ->
                        node.attributes().isEmpty()
                                ? x.flatten()
                                : x.flatten(num("startDim"), num("endDim"));
                case "ExpandDims" -> x.expandDims(num("axis"));
                case "Squeeze" -> x.squeeze(ints("axes"));
                case "Transpose" -> x.transpose(ints("axes"));
                case "Concat" -> NDArrays.concat(all("arrays["), num("axis"));
                case "Stack" -> NDArrays.stack(all("arrays["), num("axis"));
                case "Slice" -> slice();
                case "GatherNd" -> x.gatherNd(in("index"));
                case "Cast" -> x.toType((DataType) attribute("dtype"), true);
                case "OnesLike" -> x.onesLike();
                case "Identity" -> x.duplicate();
                case "Sum" ->
                        node.attributes().containsKey("axes")
                                ? x.sum(ints("axes"), flag("keepDims"))
                                : x.sum();
                case "Mean" ->
                        node.attributes().containsKey("axes")
                                ? x.mean(ints("axes"), flag("keepDims"))
                                : x.mean();
                default -> throw new AssertionError("not replayed: " + node);
            };
        }

        private NDArray slice() {
            ai.djl.ndarray.index.NDIndex index = new ai.djl.ndarray.index.NDIndex();
            long[] begin = longs("begin");
            for (int i = 0; i < begin.length; i++) {
                index.addSliceDim(begin[i], longs("end")[i], longs("step")[i]);
            }
            NDArray sliced = x.get(index);
            int[] squeeze = ints("squeeze");
            return squeeze.length == 0 ? sliced : sliced.squeeze(squeeze);
        }

        private Other other() {
            return new Other(
                    node.input("other").map(GraphReplay.this::get),
                    Optional.ofNullable(node.attributes().get("other")));
        }

        private NDArray in(String role) {
            return get(
                    node.input(role)
                            .orElseThrow(() -> new AssertionError(node + " has no " + role)));
        }

        @SuppressWarnings("NullAway") // DJL's own way of saying that there is no bias
        private NDArray orNull(String role) {
            return node.input(role).map(GraphReplay.this::get).orElse(null);
        }

        private NDList all(String prefix) {
            NDList arrays = new NDList();
            for (int i = 0; i < node.inputs().size(); i++) {
                if (node.roles().get(i).startsWith(prefix)) {
                    arrays.add(get(node.inputs().get(i)));
                }
            }
            return arrays;
        }

        private Object attribute(String name) {
            return Objects.requireNonNull(
                    node.attributes().get(name), () -> node + " has no " + name);
        }

        private Shape shape(String name) {
            return (Shape) attribute(name);
        }

        private int num(String name) {
            return ((Number) attribute(name)).intValue();
        }

        private float real(String name) {
            return ((Number) attribute(name)).floatValue();
        }

        private boolean flag(String name) {
            return (Boolean) attribute(name);
        }

        private String text(String name) {
            return (String) attribute(name);
        }

        private long[] longs(String name) {
            return attribute(name) instanceof Shape shape
                    ? shape.getShape()
                    : ((List<?>) attribute(name))
                            .stream().mapToLong(n -> ((Number) n).longValue()).toArray();
        }

        private int[] ints(String name) {
            return ((List<?>) attribute(name))
                    .stream().mapToInt(n -> ((Number) n).intValue()).toArray();
        }

        private List<Float> floats(String name) {
            List<Float> floats = new ArrayList<>();
            ((List<?>) attribute(name)).forEach(n -> floats.add(((Number) n).floatValue()));
            return floats;
        }
    }

    /** The right side of a binary operator: a tensor or a number. */
    private record Other(Optional<NDArray> array, Optional<Object> number) {
        NDArray map(UnaryOperator<NDArray> tensors, Function<Number, NDArray> numbers) {
            return array.map(tensors).orElseGet(() -> numbers.apply((Number) number.orElseThrow()));
        }
    }
}
