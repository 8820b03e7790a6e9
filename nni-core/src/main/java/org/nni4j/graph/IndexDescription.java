package org.nni4j.graph;

import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.index.dim.NDIndexAll;
import ai.djl.ndarray.index.dim.NDIndexBooleans;
import ai.djl.ndarray.index.dim.NDIndexElement;
import ai.djl.ndarray.index.dim.NDIndexFixed;
import ai.djl.ndarray.index.dim.NDIndexNull;
import ai.djl.ndarray.index.dim.NDIndexPick;
import ai.djl.ndarray.index.dim.NDIndexSlice;
import ai.djl.ndarray.index.dim.NDIndexTake;
import ai.djl.ndarray.index.full.NDIndexFullSlice;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Turns an {@link NDIndex} into an operator: a slice, a gather along one axis, a mask, or a general
 * index.
 */
final class IndexDescription {

    private IndexDescription() {}

    static CallDescription of(NDIndex index, Shape shape) {
        Map<String, Object> attributes = new LinkedHashMap<>();
        List<NDIndexElement> elements = index.getIndices();
        attributes.put("index", print(index));
        if (elements.stream().allMatch(IndexDescription::slices)
                && index.getRank() <= shape.dimension()) {
            NDIndexFullSlice.fromIndex(index, shape)
                    .ifPresent(slice -> describe(slice, attributes));
            return new CallDescription("Slice", attributes);
        }
        if (elements.stream().anyMatch(NDIndexBooleans.class::isInstance)) {
            return new CallDescription("BooleanMask", attributes);
        }
        List<NDIndexElement> others =
                elements.stream().filter(e -> !(e instanceof NDIndexAll)).toList();
        if (others.size() == 1) {
            long position = elements.indexOf(others.get(0));
            boolean afterEllipsis =
                    index.getEllipsisIndex() >= 0 && index.getEllipsisIndex() <= position;
            attributes.put(
                    "axis",
                    afterEllipsis ? position + shape.dimension() - index.getRank() : position);
        }
        if (others.size() == 1 && others.get(0) instanceof NDIndexTake) {
            return new CallDescription("Gather", attributes);
        }
        boolean picks = others.stream().anyMatch(NDIndexPick.class::isInstance);
        return new CallDescription(picks ? "Pick" : "Index", attributes);
    }

    private static boolean slices(NDIndexElement element) {
        return element instanceof NDIndexAll
                || element instanceof NDIndexFixed
                || element instanceof NDIndexSlice;
    }

    /* One entry per axis of the array; the axes in squeeze are taken away afterwards. */
    private static void describe(NDIndexFullSlice slice, Map<String, Object> attributes) {
        attributes.put("begin", list(slice.getMin()));
        attributes.put("end", list(slice.getMax()));
        attributes.put("step", list(slice.getStep()));
        attributes.put(
                "squeeze", Arrays.stream(slice.getToSqueeze()).mapToObj(i -> (long) i).toList());
    }

    private static List<Long> list(long[] values) {
        return LongStream.of(values).boxed().toList();
    }

    static String print(NDIndex index) {
        List<String> parts = new ArrayList<>();
        for (NDIndexElement element : index.getIndices()) {
            parts.add(print(element));
        }
        int ellipsis = index.getEllipsisIndex();
        if (ellipsis >= 0) {
            parts.add(Math.min(ellipsis, parts.size()), "...");
        }
        return String.join(", ", parts);
    }

    private static String print(NDIndexElement element) {
        if (element instanceof NDIndexAll) {
            return ":";
        }
        if (element instanceof NDIndexFixed fixed) {
            return Long.toString(fixed.getIndex());
        }
        if (element instanceof NDIndexSlice slice) {
            String range = side(slice.getMin()) + ":" + side(slice.getMax());
            return slice.getStep() == null ? range : range + ":" + slice.getStep();
        }
        return element instanceof NDIndexNull ? "null" : element.getClass().getSimpleName();
    }

    private static String side(@Nullable Long bound) {
        return Objects.toString(bound, "");
    }
}
