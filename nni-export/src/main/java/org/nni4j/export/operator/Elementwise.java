package org.nni4j.export.operator;

import java.util.List;
import java.util.Map;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.graph.Value;

/** Arithmetic and functions element by element, with broadcasting and with numbers. */
final class Elementwise {

    private Elementwise() {}

    /** The operator of two operands and whether DJL's array is the right one. */
    private static OperatorMapping binary(String op, boolean swapped) {
        return e -> {
            OnnxType type = e.outputType();
            String left = operand(e, "input", type);
            String right = operand(e, "other", type);
            e.result(op, swapped ? List.of(right, left) : List.of(left, right));
        };
    }

    static void addTo(Map<String, OperatorMapping> table) {
        for (String op : List.of("Add", "Sub", "Mul", "Div", "Pow")) {
            table.put(op, binary(op, false));
        }
        for (String op : List.of("Sub", "Div", "Pow")) {
            table.put("R" + op, binary(op, true));
        }
        table.put("Minimum", binary("Min", false));
        table.put("Maximum", binary("Max", false));
        table.put("Mod", e -> remainder(e, "input", "other"));
        table.put("RMod", e -> remainder(e, "other", "input"));
        for (String op :
                List.of(
                        "Neg", "Sign", "Abs", "Sqrt", "Floor", "Ceil", "Round", "Exp", "Log", "Sin",
                        "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Erf")) {
            table.put(op, e -> e.result(op, List.of(e.input())));
        }
        table.put("Square", e -> e.result("Mul", List.of(e.input(), e.input())));
        table.put("Cbrt", Elementwise::cubeRoot);
        table.put("Log2", e -> scaledLog(e, 2));
        table.put("Log10", e -> scaledLog(e, 10));
        table.put("Degrees", e -> scaled(e, (float) (180 / Math.PI)));
        table.put("Radians", e -> scaled(e, (float) (Math.PI / 180)));
        table.put("Trunc", Elementwise::truncate);
        table.put("Clip", Elementwise::clip);
        table.put("Cast", e -> e.bind(e.cast(e.input(), typeOf(e.first()), e.outputType())));
        for (String op : List.of("Identity", "StopGradient", "ScaleGradient", "ToDevice")) {
            table.put(op, e -> e.bind(e.input()));
        }
        table.put("Dropout", Elementwise::dropout);
    }

    /** A tensor, converted where PyTorch converts it, or a number of the given type. */
    static String operand(Emission e, String role, OnnxType type) {
        return e.node()
                .input(role)
                .map(value -> e.cast(e.input(role), typeOf(value), type))
                .orElseGet(() -> e.scalar((Number) e.attribute(role), type));
    }

    static OnnxType typeOf(Value value) {
        return OnnxType.of(value.dataType());
    }

    /* PyTorch's remainder has the divisor's sign, as ONNX's for integers; its float one has the dividend's. */
    private static void remainder(Emission e, String dividend, String divisor) {
        OnnxType type = e.outputType();
        String a = operand(e, dividend, type);
        String b = operand(e, divisor, type);
        if (!type.isFloating()) {
            e.result("Mod", List.of(a, b));
            return;
        }
        String floor = e.add("Floor", List.of(e.add("Div", List.of(a, b))));
        e.result("Sub", List.of(a, e.add("Mul", List.of(floor, b))));
    }

    private static void cubeRoot(Emission e) {
        String root =
                e.add("Pow", List.of(e.add("Abs", List.of(e.input())), e.onnx().scalar(1 / 3f)));
        e.result("Mul", List.of(e.add("Sign", List.of(e.input())), root));
    }

    private static void scaledLog(Emission e, double base) {
        String log = e.add("Log", List.of(e.input()));
        e.result("Mul", List.of(log, e.onnx().scalar((float) (1 / Math.log(base)))));
    }

    private static void scaled(Emission e, float factor) {
        e.result("Mul", List.of(e.input(), e.onnx().scalar(factor)));
    }

    private static void truncate(Emission e) {
        String magnitude = e.add("Floor", List.of(e.add("Abs", List.of(e.input()))));
        e.result("Mul", List.of(e.add("Sign", List.of(e.input())), magnitude));
    }

    private static void clip(Emission e) {
        OnnxType type = e.outputType();
        e.result(
                "Clip",
                List.of(
                        e.cast(e.input(), typeOf(e.first()), type),
                        e.scalar((Number) e.attribute("min"), type),
                        e.scalar((Number) e.attribute("max"), type)));
    }

    private static void dropout(Emission e) {
        if (e.flag("training")) {
            throw new UnmappedException("drops elements in inference too");
        }
        e.bind(e.input());
    }
}
