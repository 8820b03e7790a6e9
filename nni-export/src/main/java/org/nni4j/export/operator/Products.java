package org.nni4j.export.operator;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.graph.Value;

/** Linear layers and matrix products. */
final class Products {

    private Products() {}

    static void addTo(Map<String, OperatorMapping> table) {
        table.put("Linear", Products::linear);
        table.put("MatMul", Products::product);
        table.put("BatchMatMul", Products::product);
        table.put("BatchDot", Products::product);
        table.put("Dot", Products::product);
    }

    private static void product(Emission e) {
        e.result("MatMul", List.of(e.input(), e.input("other")));
    }

    /*
     * Gemm takes matrices alone, and the weight as it is. Other ranks multiply with the transposed weight, which is written
     * transposed: a Transpose between an integer weight and the product would keep the runtime from seeing the pair.
     */
    private static void linear(Emission e) {
        Value weight = e.node().input("weight").orElseThrow();
        if (weight.parameter().isEmpty()) {
            computedWeight(e);
        } else if (e.rank() == 2) {
            gemm(e, weight);
        } else {
            matMul(e, weight);
        }
    }

    private static void gemm(Emission e, Value weight) {
        String matrix =
                e.parameter(
                        "weight",
                        new ParameterTensor(
                                weight.name(),
                                weight.shape().getShape(),
                                0,
                                () -> Parameters.foldedWeight(e, weight)));
        List<String> operands =
                Parameters.foldedBias(e)
                        .map(bias -> List.of(e.input(), matrix, bias))
                        .orElseGet(() -> List.of(e.input(), matrix));
        e.result("Gemm", operands, Attribute.of("transB", 1));
    }

    private static void matMul(Emission e, Value weight) {
        int rows = (int) weight.shape().get(0);
        long[] turned = {weight.shape().get(1), rows};
        String matrix =
                e.parameter(
                        "weight",
                        new ParameterTensor(
                                weight.name() + "/transposed",
                                turned,
                                1,
                                () ->
                                        Parameters.transposed(
                                                Parameters.foldedWeight(e, weight), rows)));
        addBias(e, List.of(e.input(), matrix), Parameters.foldedBias(e));
    }

    private static void computedWeight(Emission e) {
        String turned =
                e.add("Transpose", List.of(e.input("weight")), Attribute.ints("perm", 1, 0));
        addBias(e, List.of(e.input(), turned), e.optional("bias"));
    }

    private static void addBias(Emission e, List<String> factors, Optional<String> bias) {
        if (bias.isEmpty()) {
            e.result("MatMul", factors);
        } else {
            e.result("Add", List.of(e.add("MatMul", factors), bias.get()));
        }
    }
}
