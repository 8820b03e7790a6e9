package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxGraph;

/** Sizes that are computed in the file from the first input's first size. Each is computed once. */
final class BatchSize {

    private final OnnxGraph onnx;
    private final String input;
    private final Map<Dimension, String> sizes = new HashMap<>();
    private final Map<List<Dimension>, String> shapes = new HashMap<>();

    BatchSize(OnnxGraph onnx, String input) {
        this.onnx = onnx;
        this.input = input;
    }

    /** A list of one size, int64. */
    String size(Dimension size) {
        String known = sizes.get(size);
        if (known == null) {
            known = size.isFixed() ? onnx.longs(size.size()) : computed(size);
            sizes.put(size, known);
        }
        return known;
    }

    private String computed(Dimension size) {
        if (size.equals(new Dimension(1, 0))) {
            return onnx.node(
                    "Shape",
                    "batch",
                    List.of(input),
                    Attribute.of("start", 0),
                    Attribute.of("end", 1));
        }
        String value = size(new Dimension(1, 0));
        if (size.factor() != 1) {
            value = onnx.node("Mul", "batch/" + size, List.of(value, onnx.longs(size.factor())));
        }
        return size.offset() == 0
                ? value
                : onnx.node("Add", "batch/" + size, List.of(value, onnx.longs(size.offset())));
    }

    /** A list of sizes, int64. */
    String shape(List<Dimension> dimensions) {
        if (dimensions.stream().allMatch(Dimension::isFixed)) {
            return onnx.longs(dimensions.stream().mapToLong(Dimension::size).toArray());
        }
        String known = shapes.get(dimensions);
        if (known == null) {
            List<String> parts = new ArrayList<>();
            dimensions.forEach(d -> parts.add(size(d)));
            known =
                    parts.size() == 1
                            ? parts.get(0)
                            : onnx.node(
                                    "Concat",
                                    "batch/" + dimensions,
                                    parts,
                                    Attribute.of("axis", 0));
            shapes.put(List.copyOf(dimensions), known);
        }
        return known;
    }
}
