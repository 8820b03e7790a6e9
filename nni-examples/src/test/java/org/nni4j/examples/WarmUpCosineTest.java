package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class WarmUpCosineTest {
    private static final Offset<Float> ROUNDING = Offset.offset(1e-6f);

    private final WarmUpCosine schedule = new WarmUpCosine(0.8f, 4, 12);

    @Test
    void newValue_whileWarmingUp_risesInEqualSteps() {
        assertThat(schedule.getNewValue(1)).isEqualTo(0.2f, ROUNDING);
        assertThat(schedule.getNewValue(4)).isEqualTo(0.8f, ROUNDING);
    }

    @Test
    void newValue_halfwayDown_isHalfThePeak() {
        assertThat(schedule.getNewValue(8)).isEqualTo(0.4f, ROUNDING);
    }

    @Test
    void newValue_atTheEndAndAfter_isZero() {
        assertThat(schedule.getNewValue(12)).isEqualTo(0f, ROUNDING);
        assertThat(schedule.getNewValue(20)).isEqualTo(0f, ROUNDING);
    }

    @Test
    void constructor_nothingAfterWarmUp_throws() {
        assertThatThrownBy(() -> new WarmUpCosine(1, 5, 5))
                .hasMessage("5 warm-up steps of 5; expected fewer");
    }
}
