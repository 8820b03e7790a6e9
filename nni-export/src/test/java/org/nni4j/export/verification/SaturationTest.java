package org.nni4j.export.verification;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nni4j.export.integer.IntegerProduct;
import org.nni4j.export.integer.TensorCodes;
import org.nni4j.export.integer.TensorSite;
import org.nni4j.fakequant.TensorTap.Side;
import org.nni4j.graph.Node;
import org.nni4j.graph.Value;
import org.nni4j.quantization.QuantizationParameters;

/**
 * Which two products are neighbours: counted by hand. The scale is 1, so a value is its integer.
 */
class SaturationTest {

    private static final TensorSite SITE = new TensorSite("layer", Side.INPUT, 0, 0);
    private static final TensorCodes BYTES =
            new TensorCodes(QuantizationParameters.perTensor(1f, 0), 0, 255, false);

    private static Saturation of(
            String op,
            Map<String, Object> attributes,
            Shape input,
            float[] x,
            Shape weight,
            int[] codes,
            int added) {
        Value in = value(0, "x", input);
        Value w = value(1, "weight", weight);
        Value out = value(2, "y", new Shape(1));
        Node node =
                new Node(
                        0,
                        op + "1",
                        op,
                        op,
                        "",
                        "",
                        0,
                        1,
                        List.of(in, w),
                        List.of("input", "weight"),
                        List.of(out),
                        attributes,
                        false);
        Reference.Tensor tensor = new Reference.Tensor(x, input.getShape());
        return Saturation.of(
                List.of(new IntegerProduct(node, SITE, BYTES, codes, added)),
                new Reference(Map.of(SITE, tensor), List.of()));
    }

    private static Value value(int id, String name, Shape shape) {
        return new Value(id, name, Value.Kind.COMPUTED, shape, DataType.FLOAT32, null, null);
    }

    private static int[] filled(Shape shape, int code) {
        int[] codes = new int[(int) shape.size()];
        Arrays.fill(codes, code);
        return codes;
    }

    /** The two channels of a place are a pair; 255 · 127 twice saturates. */
    @Test
    void of_threeSpatialAxes_walksAllOfThem() {
        // Depth 3, height 4, width 5; the first of the depth is 0, all else 255.
        Shape input = new Shape(1, 2, 3, 4, 5);
        float[] x = new float[(int) input.size()];
        for (int i = 0; i < x.length; i++) {
            x[i] = i / 20 % 3 == 0 ? 0 : 255;
        }
        Shape weight = new Shape(1, 2, 2, 3, 1);
        Map<String, Object> attributes =
                Map.of(
                        "stride", new Shape(1, 1, 2),
                        "padding", new Shape(0, 0, 0),
                        "dilation", new Shape(1, 1, 1),
                        "groups", 1L);

        Saturation found = of("Conv", attributes, input, x, weight, filled(weight, 127), 0);

        // 2 · 2 · 3 places of the output, 2 · 3 · 1 of the kernel, a pair each. Of output depths
        // and
        // kernel depths (0, 0), (0, 1), (1, 0), (1, 1), only the first pair reads the zeros.
        assertThat(found).isEqualTo(new Saturation(72, 54));
    }

    /** Padding and dilation, along the third axis. */
    @Test
    void of_padding_readsTheZeroPoint() {
        Shape input = new Shape(1, 2, 1, 1, 2);
        Shape weight = new Shape(1, 2, 1, 1, 2);
        Map<String, Object> attributes =
                Map.of(
                        "stride", new Shape(1, 1, 1),
                        "padding", new Shape(0, 0, 2),
                        "dilation", new Shape(1, 1, 3),
                        "groups", 1L);

        Saturation found =
                of(
                        "Conv",
                        attributes,
                        input,
                        new float[] {255, 255, 255, 255},
                        weight,
                        filled(weight, 127),
                        0);

        // Of 6 padded elements 0 0 1 1 0 0, elements (0, 3), (1, 4), (2, 5) are read: 2 of 6 are
        // not padding.
        assertThat(found).isEqualTo(new Saturation(6, 2));
    }

    /** Three channels that run as four: the third stands beside zeros. */
    @Test
    void of_addedChannel_isTheThirdOnesNeighbour() {
        Shape input = new Shape(1, 3, 1, 2);
        Shape weight = new Shape(1, 3, 1, 1);
        Map<String, Object> attributes =
                Map.of(
                        "stride", new Shape(1, 1),
                        "padding", new Shape(0, 0),
                        "dilation", new Shape(1, 1),
                        "groups", 1L);
        float[] x = {255, 255, 255, 255, 255, 255};

        Saturation found =
                of("Conv", attributes, input, x, weight, new int[] {127, 127, 127, 0}, 1);

        assertThat(found).isEqualTo(new Saturation(4, 2));
    }

    @Test
    void of_linearLayerOfRankThree_countsEveryRow() {
        Shape weight = new Shape(5, 4);
        float[] x = new float[2 * 3 * 4];
        Arrays.fill(x, 255);

        Saturation found =
                of("Linear", Map.of(), new Shape(2, 3, 4), x, weight, filled(weight, 127), 0);

        assertThat(found).isEqualTo(new Saturation(2 * 3 * 5 * 2, 2 * 3 * 5 * 2));
    }
}
