package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.tracker.Tracker;
import org.junit.jupiter.api.Test;

class NesterovSgdTest {

    @Test
    void update_twoSteps_followTheFormula() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray weight = manager.create(new float[] {1});
            weight.setRequiresGradient(true);
            NesterovSgd optimizer =
                    NesterovSgd.builder(Tracker.fixed(0.5f), 0.5f).optWeightDecays(0.25f).build();

            // g' = 1 + 0.25·1 = 1.25, v = 1.25, w = 1 - 0.5·(1.25 + 0.625) = 0.0625
            optimizer.update("w", weight, manager.create(new float[] {1}));
            assertThat(weight.toFloatArray()).containsExactly(0.0625f);

            // g' = 2 + 0.015625, v = 0.625 + 2.015625, w = 0.0625 - 0.5·(2.015625 + 1.3203125)
            optimizer.update("w", weight, manager.create(new float[] {2}));
            assertThat(weight.toFloatArray()).containsExactly(-1.6054688f);
        }
    }
}
