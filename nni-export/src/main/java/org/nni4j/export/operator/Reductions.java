package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxType;

/** Sums, means and extremes over axes. */
final class Reductions {

    private Reductions() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("Sum", e -> reduce(e, "ReduceSum"));
        table.put("Mean", e -> reduce(e, "ReduceMean"));
        table.put("Max", e -> reduce(e, "ReduceMax"));
        table.put("Min", e -> reduce(e, "ReduceMin"));
        table.put("Prod", e -> reduce(e, "ReduceProd"));
        table.put("Norm", Reductions::norm);
        table.put("CumSum", Reductions::cumulative);
    }

    private static void reduce(Emission e, String op) {
        OnnxType type = e.outputType();
        String input = e.cast(e.input(), Elementwise.typeOf(e.first()), type);
        over(e, op, input);
    }

    private static void norm(Emission e) {
        if (e.has("ord") && e.real("ord") != 2) {
            throw new UnmappedException("ord " + e.attribute("ord") + "; expected 2");
        }
        over(e, "ReduceL2", e.input());
    }

    /* From opset 18 on the axes are an input of every reduction; before, of ReduceSum alone. */
    private static void over(Emission e, String op, String input) {
        long[] axes = e.has("axes") ? e.longs("axes") : new long[0];
        boolean asInput = op.equals("ReduceSum") || e.onnx().opset() >= 18;
        List<Attribute> attributes = new ArrayList<>();
        attributes.add(Attribute.of("keepdims", e.has("keepDims") && e.flag("keepDims") ? 1 : 0));
        List<String> operands = new ArrayList<>(List.of(input));
        if (axes.length > 0) {
            long[] front =
                    LongStream.of(axes).map(a -> Math.floorMod(a, (long) e.rank())).toArray();
            if (asInput) {
                operands.add(e.onnx().longs(front));
            } else {
                attributes.add(Attribute.ints("axes", front));
            }
        }
        e.result(op, operands, attributes.toArray(Attribute[]::new));
    }

    private static void cumulative(Emission e) {
        e.result("CumSum", List.of(e.input(), e.scalar(e.axis("axis"), OnnxType.INT64)));
    }
}
