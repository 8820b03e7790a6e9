package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The quantized weights of a layer outside of any pass.
 *
 * @param path the layer's dotted path
 * @param quantizers the quantizer of each weight parameter, in the layer's order
 * @param fold the BatchNorm folded into the layer; null if there is none
 */
record LayerWeights(
        String path, Map<Parameter, TensorQuantizer> quantizers, @Nullable FoldedBatchNorm fold) {

    LayerWeights {
        quantizers = Collections.unmodifiableMap(new LinkedHashMap<>(quantizers));
    }

    /** Shows each quantizer its weight as it stands now. */
    void describe() {
        quantizers.forEach(
                (parameter, quantizer) -> {
                    NDManager owner = parameter.getArray().getManager();
                    try (NDManager scope = owner.newSubManager()) {
                        quantizer.describe(folded(parameter, scope));
                    }
                });
    }

    /** A weight as evaluation computes with it, which the scope then owns. */
    NDArray evaluated(Parameter parameter, StepClock clock, NDManager scope) {
        TensorQuantizer quantizer = quantizers.get(parameter);
        if (quantizer == null) {
            throw new IllegalArgumentException(
                    "layer \"" + path + "\" does not quantize \"" + parameter.getName() + "\"");
        }
        NDArray weight = folded(parameter, scope);
        ParameterStore store = new ParameterStore(scope, false);
        ForwardContext evaluation =
                new ForwardContext(false, true, clock.step(), store, weight.getDevice());
        return quantizer.quantize(weight, evaluation);
    }

    private NDArray folded(Parameter parameter, NDManager scope) {
        NDArray weight = Alias.of(parameter.getArray(), scope);
        return fold == null ? weight : fold.values(scope).weight(weight);
    }

    void close() {
        quantizers.values().forEach(TensorQuantizer::close);
    }
}
