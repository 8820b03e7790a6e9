package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.graph.Value;

/** Slices and gathers: what picks elements by position or by index. */
final class Selections {

    private Selections() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("Slice", Selections::slice);
        table.put("Embedding", Selections::embedding);
        table.put("Gather", Selections::gather);
        table.put("Take", Selections::take);
        table.put("GatherElements", Selections::gatherElements);
        table.put("GatherNd", Selections::gatherNd);
    }

    private static void slice(Emission e) {
        if (!e.has("begin")) {
            throw new UnmappedException("index " + e.attribute("index") + " is no plain slice");
        }
        List<Dimension> sizes = e.dimensions(e.first());
        List<Dimension> begins = e.numbers("begin");
        List<Dimension> ends = e.numbers("end");
        long[] steps = e.longs("step");
        List<Dimension> starts = new ArrayList<>();
        List<Dimension> stops = new ArrayList<>();
        List<Long> axes = new ArrayList<>();
        for (int i = 0; i < sizes.size(); i++) {
            boolean whole =
                    begins.get(i).equals(Dimension.fixed(0))
                            && ends.get(i).equals(sizes.get(i))
                            && steps[i] == 1;
            if (!whole) {
                starts.add(begins.get(i));
                stops.add(ends.get(i));
                axes.add((long) i);
            }
        }
        long[] squeezed = e.longs("squeeze");
        if (axes.isEmpty() && squeezed.length == 0) {
            e.bind(e.input());
            return;
        }
        String sliced = e.input();
        if (!axes.isEmpty()) {
            long[] sliceAxes = axes.stream().mapToLong(Long::longValue).toArray();
            List<String> operands =
                    List.of(
                            sliced,
                            e.shape(starts),
                            e.shape(stops),
                            e.onnx().longs(sliceAxes),
                            e.onnx()
                                    .longs(
                                            Arrays.stream(sliceAxes)
                                                    .map(a -> steps[(int) a])
                                                    .toArray()));
            if (squeezed.length == 0) {
                e.result("Slice", operands);
                return;
            }
            sliced = e.add("Slice", operands);
        }
        e.result("Squeeze", List.of(sliced, e.onnx().longs(squeezed)));
    }

    private static String indices(Emission e, String name, Value value) {
        OnnxType type = Elementwise.typeOf(value);
        boolean fits = type == OnnxType.INT64 || type == OnnxType.INT32;
        return fits ? name : e.cast(name, type, OnnxType.INT64);
    }

    private static String indices(Emission e, String role) {
        return indices(e, e.input(role), e.node().input(role).orElseThrow());
    }

    private static void embedding(Emission e) {
        String index = indices(e, e.input(), e.first());
        e.result("Gather", List.of(e.input("weight"), index), Attribute.of("axis", 0));
    }

    private static void gather(Emission e) {
        int i = e.node().roles().indexOf(indexRole(e));
        String index = indices(e, e.input(indexRole(e)), e.node().inputs().get(i));
        e.result("Gather", List.of(e.input(), index), Attribute.of("axis", (long) e.axis("axis")));
    }

    private static String indexRole(Emission e) {
        return e.node().roles().stream()
                .filter(role -> role.startsWith("index"))
                .findFirst()
                .orElseThrow(() -> new UnmappedException("has no index tensor"));
    }

    /* Counts elements as if the array were flat. */
    private static void take(Emission e) {
        String flat = e.add("Reshape", List.of(e.input(), e.onnx().longs(-1)));
        e.result("Gather", List.of(flat, indices(e, "index")), Attribute.of("axis", 0));
    }

    private static void gatherElements(Emission e) {
        e.result(
                "GatherElements",
                List.of(e.input(), indices(e, "index")),
                Attribute.of("axis", (long) e.axis("axis")));
    }

    /* DJL's index has the coordinates along its first axis, ONNX's along its last. */
    private static void gatherNd(Emission e) {
        Value index = e.node().input("index").orElseThrow();
        int rank = index.shape().dimension();
        long[] perm = new long[rank];
        for (int i = 0; i < rank; i++) {
            perm[i] = (i + 1L) % rank;
        }
        String coordinates = e.cast(e.input("index"), Elementwise.typeOf(index), OnnxType.INT64);
        String turned =
                rank == 1
                        ? coordinates
                        : e.add("Transpose", List.of(coordinates), Attribute.ints("perm", perm));
        e.result("GatherND", List.of(e.input(), turned));
    }
}
