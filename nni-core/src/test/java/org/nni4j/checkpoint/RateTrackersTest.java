package org.nni4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.training.tracker.WarmUpTracker;
import java.util.List;
import org.junit.jupiter.api.Test;

class RateTrackersTest {

    /** DJL's {@code MultiFactorTracker} by itself does not go back; here it is in another one. */
    @Test
    void restart_ofTrackerThatWentOn_givesTheRatesOfBefore() {
        Tracker tracker =
                WarmUpTracker.builder()
                        .setMainTracker(
                                Tracker.multiFactor()
                                        .setSteps(new int[] {4, 6})
                                        .optFactor(.5f)
                                        .setBaseValue(1)
                                        .build())
                        .optWarmUpBeginValue(.1f)
                        .optWarmUpSteps(2)
                        .optWarmUpMode(WarmUpTracker.Mode.LINEAR)
                        .build();
        Optimizer optimizer = Optimizer.sgd().setLearningRateTracker(tracker).build();
        RateTrackers trackers = RateTrackers.of(optimizer);
        List<Float> rates = rates(tracker);
        assertThat(rates(tracker)).isNotEqualTo(rates);
        trackers.restart();
        assertThat(rates(tracker)).isEqualTo(rates);
        trackers.restart();
        assertThat(tracker.getNewValue(9)).isEqualTo(rates.get(9));
    }

    @Test
    void restart_ofTrackerWithoutMemory_changesNothing() {
        Tracker tracker = count -> 1f / (1 + count);
        RateTrackers trackers =
                RateTrackers.of(Optimizer.adam().optLearningRateTracker(tracker).build());
        trackers.restart();
        assertThat(tracker.getNewValue(1)).isEqualTo(.5f);
    }

    private static List<Float> rates(Tracker tracker) {
        return java.util.stream.IntStream.range(0, 10).mapToObj(tracker::getNewValue).toList();
    }
}
