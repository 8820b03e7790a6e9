package org.nni4j.export.operator;

import java.util.List;
import java.util.Map;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.TensorData;

/** Pooling over windows and over whole planes. */
final class Poolings {

    private Poolings() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("MaxPool", Poolings::maximum);
        table.put("AvgPool", Poolings::average);
        table.put("LpPool", Poolings::norm);
        table.put("GlobalAvgPool", e -> global(e, "GlobalAveragePool"));
        table.put("GlobalMaxPool", e -> global(e, "GlobalMaxPool"));
    }

    /* DJL takes the spatial axes away. */
    private static void global(Emission e, String op) {
        e.result("Flatten", List.of(e.add(op, List.of(e.input()))), Attribute.of("axis", 1));
    }

    private static void maximum(Emission e) {
        e.result("MaxPool", List.of(e.input()), window(e, pads(e)));
    }

    /*
     * DJL's engine adds the powers as they are, ONNX those of the magnitudes: the same for even ones alone. Others are not
     * mapped, since what the engine computes with them is no norm.
     */
    private static void norm(Emission e) {
        if (e.flag("ceilMode")) {
            throw new UnmappedException("ceilMode of a norm pool");
        }
        double norm = e.real("norm");
        if (!(norm >= 2 && norm % 2 == 0)) {
            throw new UnmappedException("norm " + norm + "; expected an even whole number");
        }
        e.result(
                "LpPool",
                List.of(e.input()),
                Attribute.ints("kernel_shape", e.longs("kernel")),
                Attribute.ints("strides", e.longs("stride")),
                Attribute.of("p", (long) norm));
    }

    /*
     * DJL's engine counts padding whatever countIncludePad says. With ceilMode a last window may reach over the padding;
     * what lies beyond it is never counted, though ONNX Runtime's own ceil_mode did so for years: the padding becomes zeros
     * before, and the size is reached by end padding that is not counted.
     */
    private static void average(Emission e) {
        if (!e.flag("ceilMode")) {
            e.result(
                    "AveragePool",
                    List.of(e.input()),
                    Attribute.ints("kernel_shape", e.longs("kernel")),
                    Attribute.ints("strides", e.longs("stride")),
                    Attribute.ints("pads", pads(e)),
                    Attribute.of("count_include_pad", 1));
            return;
        }
        long[] padding = e.longs("padding");
        long[] pads = pads(e);
        for (int i = 0; i < padding.length; i++) {
            int end = i + padding.length;
            pads[i] = 0;
            pads[end] = Math.max(0, pads[end] - padding[i]);
        }
        e.result("AveragePool", List.of(zeroPadded(e, e.input(), padding)), window(e, pads));
    }

    private static String zeroPadded(Emission e, String input, long[] padding) {
        long[] begins = new long[e.rank()];
        System.arraycopy(padding, 0, begins, 2, padding.length);
        long[] pads = Paddings.bothSides(begins);
        return e.add("Pad", List.of(input, e.onnx().constant(TensorData.longs(pads, pads.length))));
    }

    private static Attribute[] window(Emission e, long[] pads) {
        return new Attribute[] {
            Attribute.ints("kernel_shape", e.longs("kernel")),
            Attribute.ints("strides", e.longs("stride")),
            Attribute.ints("pads", pads)
        };
    }

    /* In ceil mode, the end padding with which a floor gives the traced size. */
    private static long[] pads(Emission e) {
        long[] begins = e.longs("padding");
        if (!e.flag("ceilMode")) {
            return Paddings.bothSides(begins);
        }
        long[] kernel = e.longs("kernel");
        long[] stride = e.longs("stride");
        long[] ends = new long[begins.length];
        for (int i = 0; i < ends.length; i++) {
            long in = e.dimensions(e.first()).get(i + 2).size();
            long out = e.outputDimensions().get(i + 2).size();
            ends[i] = Math.max(0, (out - 1) * stride[i] + kernel[i] - in - begins[i]);
        }
        return Paddings.join(begins, ends);
    }
}
