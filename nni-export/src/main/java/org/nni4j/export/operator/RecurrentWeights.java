package org.nni4j.export.operator;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.nni4j.graph.Value;

/**
 * The parameters of a recurrent operator by layer, in ONNX's order of gates.
 *
 * <p>PyTorch keeps, for each layer and direction, the input's weight, the state's weight and their
 * biases, with the gates one below the other: i f g o for LSTM, r z n for GRU.
 *
 * @param emission the operator
 * @param parameters in the operator's order
 * @param op ONNX's operator
 * @param order where in PyTorch's order each of ONNX's gates stands
 * @param layers how many
 * @param directions 1 or 2
 * @param hasBiases whether there are biases
 */
record RecurrentWeights(
        Emission emission,
        List<Value> parameters,
        String op,
        int[] order,
        int layers,
        int directions,
        boolean hasBiases) {

    static RecurrentWeights of(Emission e) {
        List<Value> parameters = e.values("params");
        if (parameters.stream().anyMatch(v -> v.kind() == Value.Kind.COMPUTED)) {
            throw new UnmappedException("has weights that are computed, not parameters");
        }
        String op = e.node().op().toUpperCase(Locale.ROOT);
        int[] order =
                switch (op) {
                    case "LSTM" -> new int[] {0, 3, 1, 2};
                    case "GRU" -> new int[] {1, 0, 2};
                    default -> new int[] {0};
                };
        return new RecurrentWeights(
                e,
                parameters,
                op,
                order,
                (int) e.number("numLayers"),
                e.flag("bidirectional") ? 2 : 1,
                e.flag("hasBiases"));
    }

    RecurrentCell cell(int layer) {
        Value weight = parameter(layer, 0, 0);
        int rows = (int) weight.shape().get(0);
        int hidden = rows / order.length;
        int input = (int) weight.shape().get(1);
        String activation =
                op.equals("RNN") ? activation((String) emission.attribute("activation")) : "";
        return new RecurrentCell(
                op,
                layer,
                directions,
                input,
                hidden,
                activation,
                tensor(layer, 0, new long[] {directions, rows, input}),
                tensor(layer, 1, new long[] {directions, rows, hidden}),
                bias(layer, rows),
                hasBiases);
    }

    private static String activation(String name) {
        return name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
    }

    /* kind: 0 and 1 are the weights of input and state, 2 and 3 their biases. */
    private Value parameter(int layer, int direction, int kind) {
        int perCell = hasBiases ? 4 : 2;
        return parameters.get((layer * directions + direction) * perCell + kind);
    }

    private ParameterTensor tensor(int layer, int kind, long[] dims) {
        return new ParameterTensor(
                parameter(layer, 0, kind).name() + "/gates",
                dims,
                1,
                () -> joined(direction -> ordered(parameter(layer, direction, kind))));
    }

    private ParameterTensor bias(int layer, int rows) {
        String name =
                hasBiases
                        ? parameter(layer, 0, 2).name() + "/gates"
                        : parameter(layer, 0, 0).name() + "/no_bias";
        return new ParameterTensor(
                name,
                new long[] {directions, 2L * rows},
                1,
                () ->
                        hasBiases
                                ? joined(
                                        d ->
                                                concat(
                                                        ordered(parameter(layer, d, 2)),
                                                        ordered(parameter(layer, d, 3))))
                                : new float[directions * 2 * rows]);
    }

    private float[] joined(IntFunction<float[]> perDirection) {
        float[] first = perDirection.apply(0);
        return directions == 1 ? first : concat(first, perDirection.apply(1));
    }

    private static float[] concat(float[] one, float[] other) {
        float[] both = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }

    /* The gates one below the other, in ONNX's order. */
    private float[] ordered(Value value) {
        float[] given = Parameters.floats(emission, value);
        float[] ordered = new float[given.length];
        int gate = given.length / order.length;
        for (int g = 0; g < order.length; g++) {
            System.arraycopy(given, order[g] * gate, ordered, g * gate, gate);
        }
        return ordered;
    }
}
