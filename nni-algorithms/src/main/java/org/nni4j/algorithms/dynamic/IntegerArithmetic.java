package org.nni4j.algorithms.dynamic;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nni4j.fakequant.LayerArithmetic;
import org.nni4j.fakequant.OperatorCall;

/** Linear and recurrent layers with products of integers; biases and all else stay float. */
final class IntegerArithmetic implements LayerArithmetic {

    private final boolean sumsBiases;

    /** With the order in which the profile adds biases up. */
    IntegerArithmetic(boolean sumsBiases) {
        this.sumsBiases = sumsBiases;
    }

    @Override
    public Set<String> operators() {
        return Set.of("linear", "lstm", "gru");
    }

    @Override
    public NDList compute(OperatorCall call) {
        if (call.context().training()) {
            throw new IllegalStateException(
                    "layer \""
                            + call.layer()
                            + "\": dynamic quantization has no training forward; call restore()"
                            + " before the model is trained, and compress() after it");
        }
        NDArray input = call.argument(0, NDArray.class);
        try (NDManager scope = input.getManager().newSubManager()) {
            NDArray x = Scoped.float32(input, scope);
            NDList outputs =
                    call.operator().equals("linear")
                            ? new NDList(linear(call, x, scope))
                            : new RecurrentPass(call, sumsBiases, scope).run(x);
            NDList results = new NDList();
            outputs.forEach(output -> results.add(Scoped.result(output, input)));
            return results;
        }
    }

    private static NDArray linear(OperatorCall call, NDArray x, NDManager scope) {
        NDArray product =
                weight(call, call.argument(1, NDArray.class), scope).product(input(call, x));
        @Nullable NDArray bias = call.optionalArray(2);
        return bias == null ? product : product.add(bias);
    }

    static Integers.Weight weight(OperatorCall call, NDArray weight, NDManager scope) {
        DynamicWeightQuantizer quantizer = (DynamicWeightQuantizer) call.weightQuantizer(weight);
        return quantizer.integers(Scoped.float32(weight, scope)).asWeight();
    }

    /** All activations of a layer, the hidden state too, follow the rule of its input. */
    static Integers input(OperatorCall call, NDArray activation) {
        return ((DynamicInputQuantizer) call.inputQuantizer(0)).integers(activation);
    }
}
