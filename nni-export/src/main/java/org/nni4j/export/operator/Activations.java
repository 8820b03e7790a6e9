package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.nni4j.export.network.Dimension;
import org.nni4j.export.onnx.Attribute;

/** Activation functions. */
final class Activations {

    private Activations() {}

    static void addTo(Map<String, OperatorMapping> table) {
        for (String op : List.of("Relu", "Sigmoid", "Tanh", "Softplus", "Softsign")) {
            table.put(op, e -> e.result(op, List.of(e.input())));
        }
        table.put("LeakyRelu", e -> withAlpha(e, "LeakyRelu"));
        table.put("Elu", e -> withAlpha(e, "Elu"));
        table.put("Selu", e -> e.result("Selu", List.of(e.input())));
        table.put("Prelu", Activations::prelu);
        table.put("Gelu", Activations::gelu);
        table.put("Swish", Activations::swish);
        table.put("Mish", Activations::mish);
        table.put("Softmax", e -> alongAxis(e, "Softmax"));
        table.put("LogSoftmax", e -> alongAxis(e, "LogSoftmax"));
    }

    private static void withAlpha(Emission e, String op) {
        e.result(op, List.of(e.input()), Attribute.of("alpha", e.real("alpha")));
    }

    private static void alongAxis(Emission e, String op) {
        e.result(op, List.of(e.input()), Attribute.of("axis", (long) e.axis("axis")));
    }

    /* One slope for all, or one per channel, which is axis 1; ONNX aligns the slope's last axis with the input's. */
    private static void prelu(Emission e) {
        String slope = e.input("alpha");
        if (e.node().input("alpha").orElseThrow().shape().size() > 1 && e.rank() > 2) {
            List<Dimension> shape =
                    new ArrayList<>(Collections.nCopies(e.rank() - 1, Dimension.fixed(1)));
            shape.set(0, e.dimensions(e.first()).get(1));
            slope = e.add("Reshape", List.of(slope, e.shape(shape)));
        }
        e.result("PRelu", List.of(e.input(), slope));
    }

    /* PyTorch's default, x·Φ(x): x/2·(1 + erf(x/√2)). Opset 20 has an operator; runtimes know this form. */
    private static void gelu(Emission e) {
        String x = e.input();
        String scaled = e.add("Div", List.of(x, e.onnx().scalar((float) Math.sqrt(2))));
        String erf = e.add("Erf", List.of(scaled));
        String sum = e.add("Add", List.of(erf, e.onnx().scalar(1)));
        String product = e.add("Mul", List.of(x, sum));
        e.result("Mul", List.of(product, e.onnx().scalar(0.5f)));
    }

    private static void swish(Emission e) {
        String x = e.input();
        float beta = e.real("beta");
        String scaled = beta == 1 ? x : e.add("Mul", List.of(x, e.onnx().scalar(beta)));
        e.result("Mul", List.of(x, e.add("Sigmoid", List.of(scaled))));
    }

    /* DJL's mish is x·tanh(log2(1 + eˣ)), with the binary logarithm where the paper has the natural one. */
    private static void mish(Emission e) {
        String x = e.input();
        String soft = e.add("Softplus", List.of(x));
        String binary = e.add("Div", List.of(soft, e.onnx().scalar((float) Math.log(2))));
        e.result("Mul", List.of(x, e.add("Tanh", List.of(binary))));
    }
}
