package org.nni4j.export.operator;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;

/** Resizing, and the anchor boxes of detection networks. */
final class Images {

    private Images() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("Interpolate", Images::interpolate);
        table.put("Resize", Images::resize);
        table.put("MultiBoxPrior", Images::anchors);
    }

    /*
     * DJL's engine ignores alignCorners, and computes modes 1 and 3 with antialiasing: up, the first is ONNX's linear; all
     * else is written as what it is, a product with constant matrices for height and width.
     */
    private static void interpolate(Emission e) {
        requirePlanes(e);
        e.bind(resized(e, e.input(), e.dimensions(e.first()), e.outputDimensions(), "mode"));
    }

    /* DJL's resize of pictures has the channels last. */
    private static void resize(Emission e) {
        requirePlanes(e);
        String turned = e.add("Transpose", List.of(e.input()), Attribute.ints("perm", 0, 3, 1, 2));
        String resized =
                resized(
                        e,
                        turned,
                        channelsFirst(e.dimensions(e.first())),
                        channelsFirst(e.outputDimensions()),
                        "interpolation");
        e.result("Transpose", List.of(resized), Attribute.ints("perm", 0, 2, 3, 1));
    }

    private static void requirePlanes(Emission e) {
        if (e.rank() != 4 || !e.outputType().isFloating()) {
            throw new UnmappedException(
                    "resizes " + e.first() + "; expected a float batch of pictures with channels");
        }
    }

    private static List<Dimension> channelsFirst(List<Dimension> sizes) {
        return List.of(sizes.get(0), sizes.get(3), sizes.get(1), sizes.get(2));
    }

    private static String resized(
            Emission e, String input, List<Dimension> from, List<Dimension> to, String mode) {
        int kind = (int) e.number(mode);
        long[] in = {from.get(2).size(), from.get(3).size()};
        long[] out = {to.get(2).size(), to.get(3).size()};
        List<String> operands = List.of(input, "", "", e.shape(to));
        if (kind == 0) {
            // floor(x·in/out), without half pixels.
            return e.add(
                    "Resize",
                    operands,
                    Attribute.of("mode", "nearest"),
                    Attribute.of("coordinate_transformation_mode", "asymmetric"),
                    Attribute.of("nearest_mode", "floor"));
        }
        if (kind == 1 && out[0] >= in[0] && out[1] >= in[1]) {
            return e.add(
                    "Resize",
                    operands,
                    Attribute.of("mode", "linear"),
                    Attribute.of("coordinate_transformation_mode", "half_pixel"));
        }
        String rows = e.onnx().constant(weights(in[0], out[0], kind, false));
        String columns = e.onnx().constant(weights(in[1], out[1], kind, true));
        return e.add("MatMul", List.of(e.add("MatMul", List.of(rows, input)), columns));
    }

    /* What each new row takes of the old ones: the identity, resized. */
    private static TensorData weights(long in, long out, int kind, boolean transposed) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray identity = manager.eye((int) in).reshape(1, 1, in, in);
            NDArray resized =
                    identity.getNDArrayInternal()
                            .interpolation(new long[] {out, in}, kind, false)
                            .reshape(out, in);
            NDArray matrix = transposed ? resized.transpose() : resized;
            return TensorData.floats(matrix.toFloatArray(), matrix.getShape().getShape());
        }
    }

    /* Anchor boxes depend on the shape of the feature map alone, so they are computed here, once and for all. */
    private static void anchors(Emission e) {
        List<Dimension> sizes = e.dimensions(e.first());
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray map =
                    manager.zeros(
                            new Shape(
                                    1,
                                    sizes.get(1).size(),
                                    sizes.get(2).size(),
                                    sizes.get(3).size()));
            NDArray boxes =
                    map.getNDArrayInternal()
                            .multiBoxPrior(
                                    floats(e, "sizes"),
                                    floats(e, "ratios"),
                                    floats(e, "steps"),
                                    floats(e, "offsets"),
                                    e.flag("clip"))
                            .head();
            TensorData data = TensorData.floats(boxes.toFloatArray(), boxes.getShape().getShape());
            e.bind(
                    e.cast(
                            e.onnx().freshInitializer(e.node().name(), data),
                            OnnxType.FLOAT32,
                            e.outputType()));
        }
    }

    /*
     * Not compared with the other batch size's: the engine writes the steps it works out into the network's own list, so the
     * second pass is called with others that mean the same.
     */
    private static List<Float> floats(Emission e, String name) {
        List<Float> floats = new ArrayList<>();
        ((List<?>) Objects.requireNonNull(e.node().attributes().get(name)))
                .forEach(n -> floats.add(((Number) n).floatValue()));
        return floats;
    }
}
