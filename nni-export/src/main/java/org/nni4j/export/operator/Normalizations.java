package org.nni4j.export.operator;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.TensorData;

/** BatchNorm that stays, and LayerNorm. */
final class Normalizations {

    private Normalizations() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("BatchNorm", Normalizations::batchNorm);
        table.put("LayerNorm", Normalizations::layerNorm);
    }

    /* ONNX normalizes over axis 1. So does PyTorch, which DJL calls on a transposed array for any axis but 1 and -1. */
    private static void batchNorm(Emission e) {
        if (e.flag("training")) {
            throw new UnmappedException(
                    "computes batch statistics in inference; ONNX normalizes with running ones");
        }
        int axis = e.number("axis") == -1 ? 1 : e.axis("axis");
        int channels = (int) e.first().shape().get(axis);
        List<String> operands =
                List.of(
                        axis == 1 ? e.input() : swapped(e, e.input(), axis),
                        e.optional("gamma").orElseGet(() -> filled(e, channels, 1)),
                        e.optional("beta").orElseGet(() -> filled(e, channels, 0)),
                        e.input("runningMean"),
                        e.input("runningVar"));
        Attribute epsilon = Attribute.of("epsilon", e.real("epsilon"));
        if (axis == 1) {
            e.result("BatchNormalization", operands, epsilon);
        } else {
            String normalized = e.add("BatchNormalization", operands, epsilon);
            e.result("Transpose", List.of(normalized), Attribute.ints("perm", swap(e, axis)));
        }
    }

    private static String swapped(Emission e, String name, int axis) {
        return e.add("Transpose", List.of(name), Attribute.ints("perm", swap(e, axis)));
    }

    private static long[] swap(Emission e, int axis) {
        return IntStream.range(0, e.rank())
                .mapToLong(i -> i == 1 ? axis : i == axis ? 1 : i)
                .toArray();
    }

    private static String filled(Emission e, int size, float value) {
        float[] elements = new float[size];
        Arrays.fill(elements, value);
        return e.onnx().constant(TensorData.floats(elements, size));
    }

    private static void layerNorm(Emission e) {
        int axes = e.longs("normalizedShape").length;
        e.result(
                "LayerNormalization",
                List.of(e.input(), e.input("gamma"), e.input("beta")),
                Attribute.of("axis", (long) e.rank() - axes),
                Attribute.of("epsilon", e.real("epsilon")));
    }
}
