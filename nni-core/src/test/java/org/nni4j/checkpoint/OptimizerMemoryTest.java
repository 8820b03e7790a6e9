package org.nni4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OptimizerMemoryTest {

    private static final Tracker RATE = Tracker.fixed(.1f);

    record Kind(String name, Supplier<Optimizer> make) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** The optimizers of DJL that the PyTorch engine can compute. */
    static Stream<Kind> kinds() {
        return Stream.of(
                new Kind(
                        "Sgd",
                        () ->
                                Optimizer.sgd()
                                        .setLearningRateTracker(RATE)
                                        .optMomentum(.9f)
                                        .optWeightDecays(.01f)
                                        .build()),
                new Kind("Adam", () -> Optimizer.adam().optLearningRateTracker(RATE).build()),
                new Kind("AdamW", () -> Optimizer.adamW().optLearningRateTracker(RATE).build()),
                new Kind("Remembering", Remembering::new));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void load_intoAnotherOptimizer_goesOnTheSame(Kind kind) {
        try (NDManager manager = NDManager.newBaseManager()) {
            Optimizer whole = kind.make().get();
            NDArray weight = manager.create(new float[] {1, -2, 3});
            update(whole, "first", weight, 0, 3);
            OptimizerMemory memory = OptimizerMemory.of(whole);
            SavedOptimizer saved = memory.save(Map.of("first", "01Linear:weight"));
            assertThat(saved.counts()).isEqualTo(Map.of("01Linear:weight", 3));
            NDArray copy = weight.duplicate();
            update(whole, "first", weight, 3, 6);

            Optimizer fresh = kind.make().get();
            OptimizerMemory resumed = OptimizerMemory.of(fresh);
            assertThat(resumed.differences(saved)).isEmpty();
            resumed.load(saved, Map.of("second", "01Linear:weight"), manager);
            update(fresh, "second", copy, 3, 6);
            assertThat(copy.toFloatArray()).isEqualTo(weight.toFloatArray());
        }
    }

    /** Those that other engines compute keep the same kinds of things. */
    @Test
    void of_othersOfDjl_readsTheirFields() {
        List<Optimizer> others =
                List.of(
                        Optimizer.adagrad().build(),
                        Optimizer.rmsprop().build(),
                        Optimizer.adadelta().build(),
                        Optimizer.nag().setLearningRateTracker(RATE).setMomentum(.9f).build());
        for (Optimizer optimizer : others) {
            SavedOptimizer saved = OptimizerMemory.of(optimizer).save(Map.of());
            assertThat(saved.settings()).containsKey("weightDecays").hasSizeGreaterThan(4);
        }
    }

    private static void update(Optimizer optimizer, String id, NDArray weight, int from, int to) {
        for (int i = from; i < to; i++) {
            try (NDArray gradient = weight.mul(.3f).add(i)) {
                optimizer.update(id, weight, gradient);
            }
        }
    }

    @Test
    void differences_ofAnotherOptimizer_areNamed() {
        Optimizer adam = Optimizer.adam().build();
        SavedOptimizer saved = OptimizerMemory.of(adam).save(Map.of());
        Optimizer other = Optimizer.adam().optBeta1(.8f).optWeightDecays(.1f).build();
        assertThat(OptimizerMemory.of(other).differences(saved))
                .containsExactlyInAnyOrder(
                        "optimizer.beta1: 0.9 in the checkpoint; expected 0.8",
                        "optimizer.weightDecays: 0.0 in the checkpoint; expected 0.1");
        assertThat(OptimizerMemory.of(Optimizer.adagrad().build()).differences(saved))
                .containsExactly(
                        "optimizer: ai.djl.training.optimizer.Adam made the checkpoint; expected"
                                + " ai.djl.training.optimizer.Adagrad");
    }

    @Test
    void of_optimizerThatKeepsSomethingElse_throwsNamingIt() {
        assertThatThrownBy(() -> OptimizerMemory.of(new Forgetful()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("field \"last\" of type ai.djl.ndarray.NDArray")
                .hasMessageContaining("StatefulOptimizer");
    }

    @Test
    void load_ofUnknownParameter_throwsAndChangesNothing() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Optimizer optimizer = Optimizer.adam().build();
            NDArray weight = manager.create(new float[] {1, 2});
            update(optimizer, "id", weight, 0, 2);
            OptimizerMemory memory = OptimizerMemory.of(optimizer);
            SavedOptimizer before = memory.save(Map.of("id", "known"));
            SavedOptimizer other = OptimizerMemory.of(optimizer).save(Map.of("id", "other"));
            assertThatThrownBy(() -> memory.load(other, Map.of("id", "known"), manager))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("remembers \"other\"");
            assertThat(memory.save(Map.of("id", "known"))).isEqualTo(before);
        }
    }

    private static final class Builder extends Optimizer.OptimizerBuilder<Builder> {
        @Override
        protected Builder self() {
            return this;
        }
    }

    /** Keeps an array that nobody can know the meaning of. */
    private static final class Forgetful extends Optimizer {
        @SuppressWarnings("unused")
        private @Nullable NDArray last;

        Forgetful() {
            super(new Builder());
        }

        @Override
        public void update(String parameterId, NDArray weight, NDArray grad) {
            last = grad;
        }
    }

    /** Sums all gradients, and shows it. */
    private static final class Remembering extends Optimizer implements StatefulOptimizer {
        private final Object[] hidden = {new HashMap<String, Map<Device, NDArray>>()};

        Remembering() {
            super(new Builder());
        }

        @Override
        public void update(String parameterId, NDArray weight, NDArray grad) {
            updateCount(parameterId);
            NDArray sum =
                    withDefaultState(
                            parameterStates().get("sums"),
                            parameterId,
                            weight.getDevice(),
                            id -> weight.zerosLike());
            sum.addi(grad);
            weight.subi(sum);
        }

        @SuppressWarnings("unchecked")
        @Override
        public Map<String, Map<String, Map<Device, NDArray>>> parameterStates() {
            return Map.of("sums", (Map<String, Map<Device, NDArray>>) hidden[0]);
        }

        @Override
        public Map<String, String> settings() {
            return Map.of("kind", "sum");
        }
    }
}
