package org.nni4j.export.operator;

import java.util.List;
import java.util.Map;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;

/** Positions of the largest, orders, and indices as vectors. */
final class Orderings {

    private Orderings() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("ArgMax", e -> extreme(e, "ArgMax"));
        table.put("ArgMin", e -> extreme(e, "ArgMin"));
        table.put("ArgSort", e -> e.bind(ordered(e, e.flag("ascending")).get(1)));
        table.put("Sort", e -> e.bind(ordered(e, true).get(0)));
        table.put("TopK", Orderings::topK);
        table.put("OneHot", Orderings::oneHot);
    }

    private static void extreme(Emission e, String op) {
        String input = e.input();
        if (!e.has("axis")) {
            String flat = e.add("Reshape", List.of(input, e.onnx().longs(-1)));
            e.result(op, List.of(flat), Attribute.of("axis", 0), Attribute.of("keepdims", 0));
            return;
        }
        e.result(
                op,
                List.of(input),
                Attribute.of("axis", (long) e.axis("axis")),
                Attribute.of("keepdims", 0));
    }

    /* All along an axis. Where elements are equal, PyTorch and the runtime may order them differently. */
    private static List<String> ordered(Emission e, boolean ascending) {
        int axis = e.axis("axis");
        String size = e.shape(List.of(e.dimensions(e.first()).get(axis)));
        return e.onnx()
                .nodes(
                        "",
                        "TopK",
                        List.of(e.node().name() + "/values", e.node().name() + "/positions"),
                        List.of(e.input(), size),
                        Attribute.of("axis", (long) axis),
                        Attribute.of("largest", ascending ? 0 : 1));
    }

    private static void topK(Emission e) {
        e.results(
                "TopK",
                List.of(e.input(), e.onnx().longs(e.number("k"))),
                Attribute.of("axis", (long) e.axis("axis")),
                Attribute.of("largest", e.flag("largest") ? 1 : 0),
                Attribute.of("sorted", e.flag("sorted") ? 1 : 0));
    }

    private static void oneHot(Emission e) {
        OnnxType type = e.outputType();
        String index = e.cast(e.input(), Elementwise.typeOf(e.first()), OnnxType.INT64);
        float on = e.has("onValue") ? e.real("onValue") : 1;
        float off = e.has("offValue") ? e.real("offValue") : 0;
        String values = e.onnx().constant(TensorData.floats(new float[] {off, on}, 2));
        String depth = e.scalar(e.number("depth"), OnnxType.INT64);
        String hot = e.add("OneHot", List.of(index, depth, values), Attribute.of("axis", -1));
        e.bind(e.cast(hot, OnnxType.FLOAT32, type));
    }
}
