package org.nni4j.algorithms.lsq;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithms.Networks;

/** Step sizes join the user's optimizer, which goes on with everything it had. */
class JoiningTheOptimizerTest {

    private static final int START = 3;
    private static final int STEPS = 5;

    private static final List<Map<String, Object>> CONFIG =
            List.of(
                    Map.of(
                            "quant_types",
                            List.of("weight", "input"),
                            "quant_bits",
                            4,
                            "op_types",
                            List.of("Conv2d", "Linear"),
                            "quant_start_step",
                            START));

    /** Momentum of 0.9, with a record of everything the optimizer was asked to do. */
    private static final class Recording extends Optimizer {
        private final Map<String, float[]> velocities = new LinkedHashMap<>();
        private final Map<String, List<Float>> rates = new LinkedHashMap<>();
        private final ParameterTracker rate = (id, update) -> .01f * update;

        Recording() {
            super(new Builder());
        }

        @Override
        public void update(String id, NDArray weight, NDArray grad) {
            float now = rate.getNewValue(id, updateCount(id));
            rates.computeIfAbsent(id, i -> new ArrayList<>()).add(now);
            float[] values = weight.toFloatArray();
            float[] gradient = grad.toFloatArray();
            float[] velocity = velocities.computeIfAbsent(id, i -> new float[values.length]);
            for (int i = 0; i < values.length; i++) {
                velocity[i] = .9f * velocity[i] + gradient[i];
                values[i] -= now * velocity[i];
            }
            weight.set(values);
            grad.muli(0);
        }

        private static final class Builder extends OptimizerBuilder<Builder> {
            @Override
            protected Builder self() {
                return this;
            }
        }
    }

    @Test
    void stepSizes_joinLate_keepEveryonesStateAndFollowTheSchedule() {
        Recording optimizer = new Recording();
        try (Model model = Networks.smallModel(1);
                LsqQuantizer quantizer = new LsqQuantizer(model, CONFIG, optimizer)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                for (int step = 1; step < START; step++) {
                    Networks.step(trainer, Networks.SMALL, 3, step);
                }
                final Map<String, float[]> kept = new LinkedHashMap<>(optimizer.velocities);
                // two layers' weights and biases; step sizes have no value before the start
                assertThat(kept).hasSize(4);
                for (int step = START; step <= STEPS; step++) {
                    Networks.step(trainer, Networks.SMALL, 3, step);
                }
                assertThat(optimizer.velocities).hasSize(8);
                // the same objects: nobody's momentum began anew
                kept.forEach((id, v) -> assertThat(optimizer.velocities.get(id)).isSameAs(v));
                List<Float> schedule = List.of(.01f, .01f * 2, .01f * 3, .01f * 4, .01f * 5);
                List<Float> late = schedule.subList(START - 1, STEPS);
                optimizer.rates.forEach(
                        (id, rates) -> {
                            if (kept.containsKey(id)) {
                                assertThat(rates).as(id).isEqualTo(schedule);
                            } else {
                                // DJL alone would be one step behind where the step begins with
                                // that parameter
                                assertThat(rates).as(id).isEqualTo(late);
                            }
                        });
            }
        }
    }

    /** They rest while the network is trained in float, and are then where everyone is. */
    @Test
    void stepSizes_thatRested_followTheSchedule() {
        Recording optimizer = new Recording();
        try (Model model = Networks.smallModel(1);
                LsqQuantizer quantizer = new LsqQuantizer(model, CONFIG, optimizer)) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(Networks.SMALL);
                for (int step = 1; step <= 7; step++) {
                    if (step == 4) {
                        quantizer.restore();
                    } else if (step == 6) {
                        quantizer.compress();
                    }
                    Networks.step(trainer, Networks.SMALL, 3, step);
                }
                List<Float> always =
                        List.of(.01f, .01f * 2, .01f * 3, .01f * 4, .01f * 5, .01f * 6, .01f * 7);
                List<Float> rested = List.of(.01f * 3, .01f * 6, .01f * 7);
                assertThat(optimizer.rates.values()).hasSize(8).containsOnly(always, rested);
                assertThat(optimizer.rates.values()).filteredOn(rested::equals).hasSize(4);
            }
        }
    }

    @Test
    void beforeTheyJoin_trainingIsTheFloatNetworks() {
        assertThat(trained(true)).containsExactly(trained(false));
    }

    /** The first layer's weight after the steps before the start step. */
    private static float[] trained(boolean quantized) {
        Shape shape = Networks.SMALL;
        try (Model model = Networks.smallModel(2);
                LsqQuantizer quantizer = new LsqQuantizer(model, CONFIG, new Recording())) {
            if (quantized) {
                quantizer.compress();
            }
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                trainer.initialize(shape);
                for (int step = 1; step < START; step++) {
                    Networks.step(trainer, shape, 3, step);
                }
            }
            return Networks.values(model.getBlock()).values().iterator().next();
        }
    }
}
