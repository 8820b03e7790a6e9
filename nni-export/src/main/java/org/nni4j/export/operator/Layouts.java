package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;

/** What changes shapes and leaves elements alone, or repeats them. */
final class Layouts {

    private Layouts() {}

    static void addTo(Map<String, OperatorMapping> table) {
        for (String op : List.of("Reshape", "Flatten", "ExpandDims", "Squeeze")) {
            table.put(op, Layouts::reshape);
        }
        table.put("Transpose", Layouts::transpose);
        table.put("Broadcast", Layouts::broadcast);
        table.put("Tile", Layouts::tile);
        table.put("Repeat", Layouts::repeat);
        table.put("Flip", Layouts::flip);
        table.put("Pad", Layouts::pad);
        table.put("OnesLike", e -> like(e, 1));
        table.put("ZerosLike", e -> like(e, 0));
    }

    /*
     * All of these only say how the elements are counted, and the trace knows the result's shape. One size that follows the
     * batch is left to the runtime (-1); several are computed.
     */
    private static void reshape(Emission e) {
        List<Dimension> sizes = e.outputDimensions();
        long varying = sizes.stream().filter(d -> !d.isFixed()).count();
        boolean empty = sizes.stream().anyMatch(d -> d.equals(Dimension.fixed(0)));
        String shape =
                varying == 1 && !empty
                        ? e.onnx()
                                .longs(
                                        sizes.stream()
                                                .mapToLong(d -> d.isFixed() ? d.size() : -1)
                                                .toArray())
                        : e.shape(sizes);
        e.result("Reshape", List.of(e.input(), shape));
    }

    private static void transpose(Emission e) {
        long[] axes =
                LongStream.of(e.longs("axes"))
                        .map(a -> Math.floorMod(a, (long) e.rank()))
                        .toArray();
        e.result("Transpose", List.of(e.input()), Attribute.ints("perm", axes));
    }

    private static void broadcast(Emission e) {
        e.result("Expand", List.of(e.input(), e.shape(e.outputDimensions())));
    }

    /* The shapes say how often each axis is repeated; PyTorch may put axes in front. */
    private static void tile(Emission e) {
        List<Dimension> out = e.outputDimensions();
        List<Dimension> in = new ArrayList<>(e.dimensions(e.first()));
        int added = out.size() - in.size();
        for (int i = 0; i < added; i++) {
            in.add(0, Dimension.fixed(1));
        }
        String input = added == 0 ? e.input() : e.add("Reshape", List.of(e.input(), e.shape(in)));
        e.result("Tile", List.of(input, e.onnx().longs(repeats(in, out))));
    }

    /* Every element several times in a row: tiles along an axis of size 1 behind each axis. */
    private static void repeat(Emission e) {
        List<Dimension> in = e.dimensions(e.first());
        List<Dimension> out = e.outputDimensions();
        long[] repeats = repeats(in, out);
        List<Dimension> apart = new ArrayList<>();
        long[] tiles = new long[2 * repeats.length];
        for (int i = 0; i < repeats.length; i++) {
            apart.add(in.get(i));
            apart.add(Dimension.fixed(1));
            tiles[2 * i] = 1;
            tiles[2 * i + 1] = repeats[i];
        }
        String spread = e.add("Reshape", List.of(e.input(), e.shape(apart)));
        String tiled = e.add("Tile", List.of(spread, e.onnx().longs(tiles)));
        e.result("Reshape", List.of(tiled, e.shape(out)));
    }

    private static long[] repeats(List<Dimension> in, List<Dimension> out) {
        return IntStream.range(0, in.size())
                .mapToLong(
                        i -> {
                            Dimension from = in.get(i);
                            Dimension to = out.get(i);
                            boolean proportional =
                                    !from.isFixed() && from.offset() == 0 && to.offset() == 0;
                            return proportional
                                    ? to.factor() / from.factor()
                                    : to.size() / from.size();
                        })
                .toArray();
    }

    private static void flip(Emission e) {
        long[] axes = e.longs("axes");
        long[] minusOnes = LongStream.of(axes).map(a -> -1).toArray();
        long[] ends = LongStream.of(axes).map(a -> Long.MIN_VALUE + 1).toArray();
        e.result(
                "Slice",
                List.of(
                        e.input(),
                        e.onnx().longs(minusOnes),
                        e.onnx().longs(ends),
                        e.onnx()
                                .longs(
                                        LongStream.of(axes)
                                                .map(a -> Math.floorMod(a, (long) e.rank()))
                                                .toArray()),
                        e.onnx().longs(minusOnes)));
    }

    /* PyTorch's order: begin and end of the last axis, then of the one before it. */
    private static void pad(Emission e) {
        long[] padding = e.longs("padding");
        int rank = e.rank();
        long[] pads = new long[2 * rank];
        for (int i = 0; i < padding.length / 2; i++) {
            pads[rank - 1 - i] = padding[2 * i];
            pads[2 * rank - 1 - i] = padding[2 * i + 1];
        }
        e.result(
                "Pad",
                List.of(
                        e.input(),
                        e.onnx().longs(pads),
                        e.scalar((Number) e.attribute("value"), e.outputType())));
    }

    private static void like(Emission e, int value) {
        OnnxType type = e.outputType();
        TensorData element =
                switch (type) {
                    case FLOAT32 -> TensorData.floats(new float[] {value}, 1);
                    case INT64 -> TensorData.longs(new long[] {value}, 1);
                    case INT32 -> TensorData.ints(new int[] {value}, 1);
                    case BOOL, INT8, UINT8 -> TensorData.bytes(type, new byte[] {(byte) value}, 1);
                    default -> throw new UnmappedException("type " + type);
                };
        e.result(
                "ConstantOfShape",
                List.of(e.shape(e.outputDimensions())),
                Attribute.of("value", element));
    }
}
