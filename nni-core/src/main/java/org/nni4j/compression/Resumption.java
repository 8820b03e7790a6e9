package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.nn.Parameter;
import ai.djl.training.optimizer.Optimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.checkpoint.Checkpoint;
import org.nni4j.checkpoint.CheckpointException;
import org.nni4j.checkpoint.OptimizerMemory;
import org.nni4j.checkpoint.RateTrackers;
import org.nni4j.checkpoint.SavedOptimizer;
import org.nni4j.fakequant.StepClock;
import org.nni4j.placement.PlannedFold;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * Takes everything that training goes on from out of a quantized network, and puts it back.
 *
 * @param model the quantized model
 * @param network its layers and parameters
 * @param quantizers its quantizers
 * @param plan what was to be quantized
 * @param config the config list, as JSON
 * @param seed the run's seed
 * @param clock the steps
 * @param optimizer the user's optimizer, if there is one
 * @param trackers its learning rates
 */
record Resumption(
        Model model,
        NetworkState network,
        PlacedQuantizers quantizers,
        QuantizationPlan plan,
        String config,
        long seed,
        StepClock clock,
        Optional<Optimizer> optimizer,
        RateTrackers trackers) {

    /** Everything as it is now. */
    Checkpoint checkpoint() {
        return new Checkpoint(
                plan.algorithm(),
                clock.step(),
                seed,
                config,
                network.layers(),
                described(plan),
                new TreeMap<>(model.getProperties()),
                network.parameters(),
                new QuantizerStates(quantizers).all(),
                optimizer.map(o -> OptimizerMemory.of(o).save(keys())));
    }

    /** The plan as lines that can be compared; the config entry that decided does not matter. */
    static Map<String, String> described(QuantizationPlan plan) {
        Map<String, String> described = new LinkedHashMap<>();
        for (PlannedLayer layer : plan.quantizedLayers()) {
            for (QuantizationPoint p : layer.points()) {
                described.put(p.toString(), description(p));
            }
        }
        for (PlannedFold fold : plan.folds()) {
            described.put(
                    "layer \"" + fold.layer() + "\", folded",
                    "\""
                            + fold.batchNorm()
                            + "\" with epsilon "
                            + fold.epsilon()
                            + ", frozen from step "
                            + fold.freezeStep());
        }
        return described;
    }

    private static String description(QuantizationPoint p) {
        return p.type()
                + " "
                + p.scheme().key()
                + ", axis "
                + p.channelAxis()
                + ", from step "
                + p.startStep()
                + ", "
                + new TreeMap<>(p.settings());
    }

    /** A lasting name for each parameter that the optimizer may know, by DJL's id. */
    private Map<String, String> keys() {
        Map<String, String> keys = new LinkedHashMap<>(network.keys());
        quantizers.forEach(
                (place, quantizer) -> {
                    List<Parameter> learned = quantizer.learnedParameters();
                    for (int i = 0; i < learned.size(); i++) {
                        keys.put(
                                learned.get(i).getId(),
                                place.layer()
                                        + ":"
                                        + place.type().key()
                                        + " "
                                        + place.tensor()
                                        + ":learned "
                                        + i);
                    }
                });
        return keys;
    }

    /**
     * Goes back to a checkpoint.
     *
     * @param source for messages
     * @throws CheckpointException naming every difference; then nothing is changed
     */
    void load(Checkpoint saved, String source) throws CheckpointException {
        Checkpoint before = checkpoint();
        List<String> differences = differences(saved, before);
        if (!differences.isEmpty()) {
            throw new CheckpointException(source, differences);
        }
        try {
            apply(saved);
        } catch (RuntimeException e) {
            apply(before);
            CheckpointException refused =
                    new CheckpointException(source, List.of(String.valueOf(e.getMessage())));
            refused.initCause(e);
            throw refused;
        }
        trackers.restart();
        saved.properties().forEach(model::setProperty);
    }

    private List<String> differences(Checkpoint saved, Checkpoint own) {
        CheckpointCheck check = new CheckpointCheck(saved, own);
        List<String> lines = new ArrayList<>(check.differences());
        lines.addAll(network.differences(saved.parameters(), check.shared()));
        if (optimizer.isPresent() && saved.optimizer().isPresent()) {
            lines.addAll(OptimizerMemory.of(optimizer.get()).differences(saved.optimizer().get()));
        }
        // What another plan quantizes is said already.
        return lines.isEmpty()
                ? new QuantizerStates(quantizers).differences(saved.quantizers())
                : lines;
    }

    private void apply(Checkpoint checkpoint) {
        Map<String, String> keys = keys();
        new QuantizerStates(quantizers).load(checkpoint.quantizers());
        checkpoint.optimizer().ifPresent(memory -> apply(memory, keys));
        network.load(checkpoint.parameters());
        clock.resume(checkpoint.step() - 1);
    }

    private void apply(SavedOptimizer memory, Map<String, String> before) {
        Map<String, String> now = keys();
        OptimizerMemory own = OptimizerMemory.of(optimizer.orElseThrow());
        own.load(memory, now, model.getNDManager());
        // What is learned where no data had been seen yet was not trained yet either.
        before.keySet().removeAll(now.keySet());
        own.forget(before.keySet());
    }
}
