package org.nni4j.compression;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.optimizer.Optimizer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.nni4j.checkpoint.UpdateCounts;
import org.nni4j.fakequant.LearnedValue;
import org.nni4j.fakequant.StepClock;
import org.nni4j.fakequant.TensorQuantizer;

/**
 * The user's optimizer, with its completed steps counted. Everything it computes, its state and its
 * learning-rate trackers stay its own.
 */
final class StepCountingOptimizer extends Optimizer {

    private record Update(String parameterId, Device device) {}

    private final Optimizer optimizer;
    private final StepClock clock;
    private final Runnable onStep;
    private final BooleanSupplier attached;
    /*
     * DJL computes learning rates and moments from the largest count so far. A parameter that joins later, such as a
     * step size, would lag behind, and a step that happens to begin with it would be computed with the count of the step
     * before. DJL updates in the order of ids, which are random: no two runs would be the same.
     */
    private static final int NOBODY = -1;

    private final UpdateCounts counts;
    private int joinAt = NOBODY;
    private final Map<String, List<Reader>> readers = new ConcurrentHashMap<>();
    private final Map<String, Learned> learned = new ConcurrentHashMap<>();
    private final Set<String> forgotten = ConcurrentHashMap.newKeySet();

    private record Learned(Parameter parameter, TensorQuantizer quantizer) {}

    private record Reader(TensorQuantizer quantizer, int startStep) {}

    StepCountingOptimizer(
            Optimizer optimizer, StepClock clock, Runnable onStep, BooleanSupplier attached) {
        super(new Unused());
        this.optimizer = optimizer;
        this.counts = new UpdateCounts(optimizer);
        this.clock = clock;
        this.onStep = onStep;
        this.attached = attached;
    }

    /** The user's own optimizer. */
    Optimizer counted() {
        return optimizer;
    }

    /**
     * Tells a quantizer of each update of the master weight it reads, from its start step on: until
     * then the weight is the float network's alone.
     */
    void addReader(Parameter master, TensorQuantizer quantizer, int startStep) {
        readers.computeIfAbsent(master.getId(), id -> new CopyOnWriteArrayList<>())
                .add(new Reader(quantizer, startStep));
    }

    /** Forgets all quantizers; what they learned is not updated any more. */
    void forgetQuantizers() {
        readers.clear();
        forgotten.addAll(learned.keySet());
        learned.clear();
    }

    /** Lets a quantizer shape the updates of the parameters it learns. */
    void addLearned(TensorQuantizer quantizer) {
        for (Parameter parameter : quantizer.learnedParameters()) {
            learned.put(parameter.getId(), new Learned(parameter, quantizer));
        }
    }

    @Override
    public void update(String parameterId, NDArray weight, NDArray grad) {
        if (clock.update(new Update(parameterId, weight.getDevice()))) {
            onStep.run();
            joinAt = counts.isEmpty() ? NOBODY : counts.largest();
        }
        Learned own = learned.get(parameterId);
        if (own == null && !forgotten.contains(parameterId)) {
            updateOwn(parameterId, weight, grad);
        } else if (own != null && attached.getAsBoolean()) {
            if (joinAt != NOBODY) {
                counts.catchUp(parameterId, joinAt);
            }
            updateLearned(own, weight, grad);
        } else {
            // DJL's trainer updates every parameter it ever met, also while the network is trained
            // in float: decay and momentum would move what compress() is to put back as it was. A
            // gradient from before is dropped, as an update does.
            LearnedValue.dropGradient(weight);
        }
    }

    /** Updates one of the network's own parameters. */
    private void updateOwn(String parameterId, NDArray weight, NDArray grad) {
        if (joinAt != NOBODY) {
            counts.join(parameterId, joinAt);
        }
        optimizer.update(parameterId, weight, grad);
        if (attached.getAsBoolean()) {
            // The clock counts the step that this update belongs to as completed.
            long updated = clock.step() - 1;
            readers.getOrDefault(parameterId, List.of()).stream()
                    .filter(reader -> updated >= reader.startStep())
                    .forEach(reader -> reader.quantizer().afterUpdate(weight));
        }
    }

    private void updateLearned(Learned own, NDArray value, NDArray grad) {
        String id = own.parameter().getId();
        // DJL copies the array that the first device's update was given to the other devices, after
        // that update; what a quantizer adds to it would be added once more on each.
        try (NDArray gradient = grad.duplicate()) {
            own.quantizer().beforeUpdate(own.parameter(), value, gradient);
            float multiple = own.quantizer().learningRateMultiple();
            if (multiple == 1) {
                optimizer.update(id, value, gradient);
            } else {
                updateScaled(id, value, gradient, multiple);
            }
        }
        own.quantizer().afterUpdate(own.parameter(), value);
    }

    /**
     * Whatever the optimizer's rule is, its update scaled is its update at a scaled learning rate.
     */
    private void updateScaled(String parameterId, NDArray weight, NDArray grad, float scale) {
        try (NDArray before = weight.duplicate()) {
            optimizer.update(parameterId, weight, grad);
            try (NDArray change = weight.sub(before);
                    NDArray scaled = change.mul(scale);
                    NDArray after = before.add(scaled)) {
                after.copyTo(weight);
            }
        }
    }

    /** Optimizers are built from a builder; this one's settings are never read. */
    private static final class Unused extends OptimizerBuilder<Unused> {
        @Override
        protected Unused self() {
            return this;
        }
    }
}
