package org.nni4j.compression;

import ai.djl.nn.Parameter;
import java.util.Map;
import java.util.Optional;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.NonFinite;
import org.nni4j.fakequant.Quantized;
import org.nni4j.fakequant.TensorQuantizer;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * Notices a network that has run into NaN or infinite values.
 *
 * <p>What a tensor held is gone when its pass has ended, but it leaves traces that stay: a range
 * that follows the data, or a weight that was updated by such a gradient. Reading these back in
 * every step would cost time; so they are looked at now and then, and before anything is written.
 */
final class NumberCheck {

    /** Steps between two looks: a look costs about as much as a step of a small network. */
    static final int EVERY = 100;

    private final QuantizationPlan plan;
    private final Map<String, Quantized> layers;
    private long lastGood;

    NumberCheck(QuantizationPlan plan, Map<String, Quantized> layers) {
        this.plan = plan;
        this.layers = layers;
    }

    /** Forgets when all was well, since training goes on from another step. */
    void reset() {
        lastGood = 0;
    }

    /** Looks if it is time to. */
    void stepped(long step) {
        if (step % EVERY == 0) {
            check(step);
        }
    }

    /**
     * Looks at every quantized layer, in the network's order.
     *
     * @param step the step that is being computed
     * @throws IllegalStateException naming the first tensor with such a trace
     */
    void check(long step) {
        for (PlannedLayer planned : plan.quantizedLayers()) {
            Quantized layer = layers.get(planned.path());
            if (layer == null) {
                continue;
            }
            layer.inputQuantizers().forEach((i, q) -> check(planned, QuantType.INPUT, i, q, step));
            layer.weightQuantizers().forEach((p, q) -> check(planned, p, q, step));
            layer.outputQuantizers()
                    .forEach((i, q) -> check(planned, QuantType.OUTPUT, i, q, step));
        }
        lastGood = step;
    }

    private void check(PlannedLayer layer, Parameter weight, TensorQuantizer quantizer, long step) {
        if (weight.isInitialized()) {
            refuse(layer, "weight " + weight.getName(), NonFinite.in(weight.getArray()), step);
        }
        check(layer, QuantType.WEIGHT, weight.getName(), quantizer, step);
    }

    private void check(
            PlannedLayer layer,
            QuantType type,
            Object tensor,
            TensorQuantizer quantizer,
            long step) {
        quantizer
                .state()
                .arrays()
                .forEach(
                        (name, values) ->
                                refuse(
                                        layer,
                                        type.key() + " " + tensor,
                                        NonFinite.in(values).map(f -> "its " + name + ": " + f),
                                        step));
    }

    private void refuse(PlannedLayer layer, String tensor, Optional<String> found, long step) {
        found.ifPresent(
                what -> {
                    throw new IllegalStateException(
                            "layer \""
                                    + layer.path()
                                    + "\" ("
                                    + layer.type()
                                    + "), "
                                    + tensor
                                    + ": "
                                    + what
                                    + " at step "
                                    + step
                                    + (lastGood == 0 ? "" : "; all was well at step " + lastGood)
                                    + ". Go back to a checkpoint and use"
                                    + " QuantizerOptions.withChecks(true), which stops at the layer"
                                    + " and the step where it begins");
                });
    }
}
