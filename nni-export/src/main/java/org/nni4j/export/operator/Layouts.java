package org.nni4j.export.operator;

import java.util.List;
import java.util.Map;
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

    /* The shapes say how often each axis is repeated, except that PyTorch may put axes in front. */
    private static void tile(Emission e) {
        List<Dimension> in = e.dimensions(e.first());
        List<Dimension> out = e.outputDimensions();
        int added = out.size() - in.size();
        long[] repeats = new long[out.size()];
        long[] counted = new long[out.size()];
        for (int i = 0; i < repeats.length; i++) {
            Dimension from = i < added ? Dimension.fixed(1) : in.get(i - added);
            Dimension to = out.get(i);
            boolean batch = !from.isFixed() && from.offset() == 0 && to.offset() == 0;
            repeats[i] = batch ? to.factor() / from.factor() : to.size() / from.size();
            counted[i] = from.isFixed() ? from.size() : -1;
        }
        String input =
                added == 0
                        ? e.input()
                        : e.add("Reshape", List.of(e.input(), e.onnx().longs(counted)));
        e.result("Tile", List.of(input, e.onnx().longs(repeats)));
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
