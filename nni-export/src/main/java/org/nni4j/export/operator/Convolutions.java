package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.graph.Value;

/** Convolutions of any number of spatial axes. */
final class Convolutions {

    private Convolutions() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("Conv", Convolutions::convolution);
        table.put("ConvTranspose", Convolutions::transposed);
    }

    private static void convolution(Emission e) {
        List<Attribute> attributes = attributes(e);
        List<String> operands = new ArrayList<>(List.of(e.input(), weight(e, 0)));
        bias(e).ifPresent(operands::add);
        e.result("Conv", operands, attributes.toArray(Attribute[]::new));
    }

    /* PyTorch's and ONNX's weight have the same layout: input channels, output channels per group, kernel. */
    private static void transposed(Emission e) {
        List<Attribute> attributes = attributes(e);
        attributes.add(Attribute.ints("output_padding", e.longs("outPadding")));
        List<String> operands = new ArrayList<>(List.of(e.input(), weight(e, 1)));
        bias(e).ifPresent(operands::add);
        e.result("ConvTranspose", operands, attributes.toArray(Attribute[]::new));
    }

    private static List<Attribute> attributes(Emission e) {
        long[] kernel = e.node().input("weight").orElseThrow().shape().slice(2).getShape();
        List<Attribute> attributes = new ArrayList<>();
        attributes.add(Attribute.ints("kernel_shape", kernel));
        attributes.add(Attribute.ints("strides", e.longs("stride")));
        attributes.add(Attribute.ints("pads", Paddings.bothSides(e.longs("padding"))));
        attributes.add(Attribute.ints("dilations", e.longs("dilation")));
        attributes.add(Attribute.of("group", e.number("groups")));
        return attributes;
    }

    private static String weight(Emission e, int channelAxis) {
        Value weight = e.node().input("weight").orElseThrow();
        if (weight.parameter().isEmpty()) {
            return e.input("weight");
        }
        return e.parameter(
                "weight",
                new ParameterTensor(
                        weight.name(),
                        weight.shape().getShape(),
                        channelAxis,
                        () -> Parameters.foldedWeight(e, weight)));
    }

    private static Optional<String> bias(Emission e) {
        return Parameters.foldedBias(e);
    }
}
