package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.graph.Value;

/** Joining tensors along an axis, and taking them apart. */
final class Joins {

    private Joins() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("Concat", Joins::concat);
        table.put("Stack", Joins::stack);
        table.put("Split", Joins::split);
    }

    private static void concat(Emission e) {
        List<String> parts = converted(e);
        long axis = Math.floorMod(e.number("axis"), (long) e.rank());
        e.result("Concat", parts, Attribute.of("axis", axis));
    }

    private static List<String> converted(Emission e) {
        List<String> names = e.inputs("arrays");
        List<Value> values = e.values("arrays");
        OnnxType type = e.outputType();
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            parts.add(e.cast(names.get(i), Elementwise.typeOf(values.get(i)), type));
        }
        return parts;
    }

    private static void stack(Emission e) {
        long axis = Math.floorMod(e.number("axis"), e.rank() + 1L);
        String axes = e.onnx().longs(axis);
        List<String> parts =
                converted(e).stream().map(part -> e.add("Unsqueeze", List.of(part, axes))).toList();
        if (parts.size() == 1) {
            e.result("Identity", parts);
        } else {
            e.result("Concat", parts, Attribute.of("axis", axis));
        }
    }

    private static void split(Emission e) {
        int axis = e.axis("axis");
        List<Dimension> sizes = new ArrayList<>();
        e.node().outputs().forEach(part -> sizes.add(e.dimensions(part).get(axis)));
        if (sizes.size() == 1) {
            e.bind(e.input());
            return;
        }
        e.results("Split", List.of(e.input(), e.shape(sizes)), Attribute.of("axis", (long) axis));
    }
}
