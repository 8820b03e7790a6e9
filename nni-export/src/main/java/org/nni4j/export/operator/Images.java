package org.nni4j.export.operator;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
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

    private static void interpolate(Emission e) {
        boolean aligned = e.flag("alignCorners");
        Attribute[] attributes =
                switch ((int) e.number("mode")) {
                    case 0 -> nearest();
                    case 1, 2, 4 -> linear(aligned);
                    case 3 -> cubic(aligned);
                    default -> throw new UnmappedException("mode " + e.number("mode"));
                };
        e.result("Resize", operands(e, e.input(), e.outputDimensions()), attributes);
    }

    /* DJL's image resize takes channels last, (height, width, channels) with or without a batch axis. */
    private static void resize(Emission e) {
        if (e.rank() != 4 || !e.outputType().isFloating()) {
            throw new UnmappedException(
                    "resizes a " + e.first() + "; expected a float batch of pictures");
        }
        Attribute[] attributes =
                switch ((int) e.number("interpolation")) {
                    case 0 -> nearest();
                    case 1 -> linear(false);
                    case 3 -> cubic(false);
                    default ->
                            throw new UnmappedException(
                                    "interpolation " + e.number("interpolation"));
                };
        List<Dimension> last = e.outputDimensions();
        List<Dimension> first = List.of(last.get(0), last.get(3), last.get(1), last.get(2));
        String turned = e.add("Transpose", List.of(e.input()), Attribute.ints("perm", 0, 3, 1, 2));
        String resized = e.add("Resize", operands(e, turned, first), attributes);
        e.result("Transpose", List.of(resized), Attribute.ints("perm", 0, 2, 3, 1));
    }

    private static List<String> operands(Emission e, String input, List<Dimension> sizes) {
        return List.of(input, "", "", e.shape(new ArrayList<>(sizes)));
    }

    /* PyTorch's nearest neighbour is floor(x·in/out), without half pixels. */
    private static Attribute[] nearest() {
        return new Attribute[] {
            Attribute.of("mode", "nearest"),
            Attribute.of("coordinate_transformation_mode", "asymmetric"),
            Attribute.of("nearest_mode", "floor")
        };
    }

    private static Attribute[] linear(boolean aligned) {
        return new Attribute[] {Attribute.of("mode", "linear"), coordinates(aligned)};
    }

    private static Attribute[] cubic(boolean aligned) {
        return new Attribute[] {
            Attribute.of("mode", "cubic"),
            coordinates(aligned),
            Attribute.of("cubic_coeff_a", -0.75f)
        };
    }

    private static Attribute coordinates(boolean aligned) {
        return Attribute.of(
                "coordinate_transformation_mode", aligned ? "align_corners" : "half_pixel");
    }

    /* Anchor boxes depend on the shape of the feature map alone, so they are computed here, once and for all. */
    private static void anchors(Emission e) {
        List<Dimension> sizes = e.dimensions(e.first());
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray map =
                    manager.zeros(
                            new ai.djl.ndarray.types.Shape(
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
