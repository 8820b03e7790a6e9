package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.graph.Value;

/**
 * LSTM, GRU and RNN of any number of layers: what is around the cells. The cells themselves are
 * written by a {@link CellWriter}, in float or otherwise.
 */
public final class RecurrentMapping implements OperatorMapping {

    private final CellWriter writer;

    /**
     * Makes a mapping.
     *
     * @param writer of each layer
     */
    public RecurrentMapping(CellWriter writer) {
        this.writer = writer;
    }

    @Override
    public void emit(Emission e) {
        RecurrentWeights weights = RecurrentWeights.of(e);
        boolean batchFirst = e.flag("batchFirst");
        String sequence = batchFirst ? turned(e, e.input()) : e.input();
        int stateCount = e.node().op().equals("Lstm") ? 2 : 1;
        List<List<String>> last =
                Stream.generate(() -> (List<String>) new ArrayList<String>())
                        .limit(stateCount)
                        .toList();
        for (int layer = 0; layer < weights.layers(); layer++) {
            RecurrentCell cell = weights.cell(layer);
            String base = e.node().name() + "/layer" + layer;
            List<String> wanted = new ArrayList<>(List.of(base));
            for (int s = 0; s < stateCount; s++) {
                wanted.add(isRead(e, s + 1) ? base + "/state" + s : "");
            }
            List<String> made = writer.write(e, cell, sequence, states(e, weights, layer), wanted);
            sequence = joined(e, cell, made.get(0), layer == weights.layers() - 1 && !batchFirst);
            for (int s = 0; s < stateCount; s++) {
                last.get(s).add(made.get(s + 1));
            }
        }
        if (batchFirst) {
            e.result("Transpose", List.of(sequence), Attribute.ints("perm", 1, 0, 2));
        }
        for (int s = 0; s < stateCount && s + 1 < e.node().outputs().size(); s++) {
            bindState(e, s + 1, last.get(s));
        }
    }

    private static String turned(Emission e, String sequence) {
        return e.add("Transpose", List.of(sequence), Attribute.ints("perm", 1, 0, 2));
    }

    /* Whether anything reads one of the operator's results. */
    private static boolean isRead(Emission e, int output) {
        if (output >= e.node().outputs().size()) {
            return false;
        }
        Value value = e.node().outputs().get(output);
        return !e.network().graph().consumers(value).isEmpty()
                || e.network().graph().outputs().contains(value);
    }

    private static void bindState(Emission e, int output, List<String> layers) {
        if (!isRead(e, output)) {
            e.skip(output);
        } else if (layers.size() == 1) {
            e.bind(output, layers.get(0));
        } else {
            e.result(output, "Concat", layers, Attribute.of("axis", 0));
        }
    }

    /* (steps, directions, batch, hidden) to (steps, batch, directions·hidden). */
    private static String joined(Emission e, RecurrentCell cell, String y, boolean isResult) {
        List<String> operands;
        String op;
        if (cell.directions() == 1) {
            op = "Squeeze";
            operands = List.of(y, e.onnx().longs(1));
        } else {
            op = "Reshape";
            String turned = e.add("Transpose", List.of(y), Attribute.ints("perm", 0, 2, 1, 3));
            operands =
                    List.of(
                            turned,
                            e.onnx().longs(0, 0, (long) cell.directions() * cell.hiddenSize()));
        }
        if (isResult) {
            e.result(op, operands);
            return "";
        }
        return e.add(op, operands);
    }

    /* States that are all zero are left out: that is what the operators start from, at any batch size. */
    private static List<String> states(Emission e, RecurrentWeights weights, int layer) {
        List<String> roles = e.node().roles().stream().filter(r -> r.startsWith("state")).toList();
        boolean zeros =
                roles.stream()
                        .map(role -> e.node().input(role).orElseThrow())
                        .allMatch(RecurrentMapping::isZeros);
        if (zeros) {
            return List.of();
        }
        int directions = weights.directions();
        return roles.stream()
                .map(
                        role ->
                                weights.layers() == 1
                                        ? e.input(role)
                                        : slice(e, e.input(role), layer, directions))
                .toList();
    }

    private static String slice(Emission e, String state, int layer, int directions) {
        long begin = (long) layer * directions;
        return e.add(
                "Slice",
                List.of(
                        state,
                        e.onnx().longs(begin),
                        e.onnx().longs(begin + directions),
                        e.onnx().longs(0)));
    }

    private static boolean isZeros(Value value) {
        return value.constant()
                .filter(
                        c ->
                                c.method().equals("zeros")
                                        || c.buffer()
                                                .filter(
                                                        b ->
                                                                IntStream.range(0, b.remaining())
                                                                        .allMatch(
                                                                                i -> b.get(i) == 0))
                                                .isPresent())
                .isPresent();
    }
}
