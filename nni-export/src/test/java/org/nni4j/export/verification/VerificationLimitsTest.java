package org.nni4j.export.verification;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nni4j.export.verification.Verification.Limits;

/** Every limit can be missed, and the last layer has its own. */
class VerificationLimitsTest {

    /** 16 · 255/15 = 272 and 16 · 255/3 = 1360 steps would be more than the whole range of 255. */
    @ParameterizedTest
    @CsvSource({"255, 16", "127, 32.126", "63, 64.762", "15, 127.5", "3, 127.5", "1, 127.5"})
    void forLevels_fewLevels_isAtMostHalfTheRange(int levels, double steps) {
        assertThat(Limits.STANDARD.forLevels(levels).outputSteps())
                .isCloseTo(steps, org.assertj.core.api.Assertions.within(1e-3));
    }

    @Test
    void forLevels_limitBeyondHalfTheRange_staysAsItWasAskedFor() {
        assertThat(new Limits(0.02, 200, 0.9).forLevels(3).outputSteps()).isEqualTo(200);
    }

    private static Verification withCutOutputs(double steps) {
        OutputComparison fine = new OutputComparison(1, 0, 0, 1);
        Saturation none = new Saturation(0, 0);
        return new Verification(
                Map.of(),
                new OutputComparison(1, steps, steps, 1),
                Limits.STANDARD.cutOutputSteps(),
                CodeComparison.NONE,
                fine,
                fine,
                none,
                none,
                Limits.STANDARD);
    }

    /** A step off is far within what the default session may be, and wrong all the same. */
    @Test
    void problems_lastLayerIsAStepOff_isOne() {
        assertThat(withCutOutputs(0.1).problems()).isEmpty();
        assertThat(withCutOutputs(1).problems())
                .singleElement()
                .asString()
                .contains("up to 1.000 steps", "given its own integers", "at most 0.125");
        assertThat(withCutOutputs(Double.NaN).isVerified()).isFalse();
    }
}
