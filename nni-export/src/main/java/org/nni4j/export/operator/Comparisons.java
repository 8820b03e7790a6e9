package org.nni4j.export.operator;

import java.util.List;
import java.util.Map;
import org.nni4j.export.onnx.OnnxType;

/** Comparisons, logic and choice. */
final class Comparisons {

    private Comparisons() {}

    static void addTo(Map<String, OperatorMapping> table) {
        for (String op : List.of("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")) {
            table.put(op, e -> finish(e, e.add(op, operands(e))));
        }
        table.put("NotEqual", e -> finish(e, e.add("Not", List.of(e.add("Equal", operands(e))))));
        for (String op : List.of("And", "Or", "Xor")) {
            table.put(op, e -> finish(e, e.add(op, logical(e))));
        }
        table.put("Not", e -> finish(e, e.add("Not", List.of(truth(e, "input")))));
        table.put("IsNaN", e -> finish(e, e.add("IsNaN", List.of(e.input()))));
        table.put("IsInf", e -> finish(e, e.add("IsInf", List.of(e.input()))));
        table.put("Where", Comparisons::where);
    }

    private static void finish(Emission e, String bool) {
        e.bind(e.cast(bool, OnnxType.BOOL, e.outputType()));
    }

    /* The wider of two types; integers beside a float, or a fraction, become float32. */
    private static List<String> operands(Emission e) {
        OnnxType type = Elementwise.typeOf(e.first());
        OnnxType other =
                e.node()
                        .input("other")
                        .map(Elementwise::typeOf)
                        .orElseGet(() -> ofNumber(e.attribute("other"), type(e)));
        OnnxType common = wider(type, other);
        return List.of(
                Elementwise.operand(e, "input", common), Elementwise.operand(e, "other", common));
    }

    private static OnnxType type(Emission e) {
        return Elementwise.typeOf(e.first());
    }

    private static OnnxType ofNumber(Object number, OnnxType type) {
        boolean whole = number instanceof Long;
        return whole || type.isFloating() ? type : OnnxType.FLOAT32;
    }

    private static OnnxType wider(OnnxType one, OnnxType other) {
        if (one.isFloating() != other.isFloating()) {
            return one.isFloating() ? one : other;
        }
        return one.bits() >= other.bits() ? one : other;
    }

    private static List<String> logical(Emission e) {
        return List.of(truth(e, "input"), truth(e, "other"));
    }

    private static String truth(Emission e, String role) {
        OnnxType type = e.node().input(role).map(Elementwise::typeOf).orElse(OnnxType.BOOL);
        return e.cast(e.input(role), type, OnnxType.BOOL);
    }

    private static void where(Emission e) {
        OnnxType type = e.outputType();
        e.result(
                "Where",
                List.of(
                        truth(e, "condition"),
                        Elementwise.operand(e, "input", type),
                        Elementwise.operand(e, "other", type)));
    }
}
