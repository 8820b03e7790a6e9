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
import org.nni4j.fakequant.StepClock;
import org.nni4j.placement.PlannedFold;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * Takes everything that training goes on from out of a quantized network, and puts it back.
 *
 * @param model the quantized model
 * @param network its layers and parameters
 * @param calibrator its quantizers
 * @param plan what was to be quantized
 * @param config the config list, as JSON
 * @param seed the run's seed
 * @param clock the steps
 * @param optimizer the user's optimizer, if there is one
 */
record Resumption(
        Model model,
        NetworkState network,
        Calibrator calibrator,
        QuantizationPlan plan,
        String config,
        long seed,
        StepClock clock,
        Optional<Optimizer> optimizer) {

    /** Everything as it is now. */
    Checkpoint checkpoint() {
        return new Checkpoint(
                plan.algorithm(),
                clock.step(),
                seed,
                config,
                network.layers(),
                described(),
                new TreeMap<>(model.getProperties()),
                network.parameters(),
                calibrator.states(),
                optimizer.map(o -> OptimizerMemory.of(o).save(keys())));
    }

    /** The plan as lines that can be compared; the config entry that decided does not matter. */
    private Map<String, String> described() {
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
        calibrator.forEach(
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
        return lines.isEmpty() ? calibrator.differences(saved.quantizers()) : lines;
    }

    private void apply(Checkpoint checkpoint) {
        calibrator.load(checkpoint.quantizers());
        checkpoint
                .optimizer()
                .ifPresent(
                        memory ->
                                OptimizerMemory.of(optimizer.orElseThrow())
                                        .load(memory, keys(), model.getNDManager()));
        network.load(checkpoint.parameters());
        clock.resume(checkpoint.step() - 1);
    }
}
