package org.nni4j.algorithms.qat;

import org.nni4j.algorithm.PointSettings;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.SettingKey;

/**
 * The training steps in which ranges follow the data.
 *
 * @param every every k-th step, beginning with the first
 * @param freezeStep ranges stay from this step on; 0 for never
 */
record ObservingSteps(long every, long freezeStep) {

    static final String EVERY = SettingKey.OBSERVE_EVERY.key();
    static final String FREEZE_STEP = SettingKey.OBSERVER_FREEZE_STEP.key();

    static ObservingSteps of(QuantizationPoint point) {
        PointSettings settings = new PointSettings(point);
        return new ObservingSteps(
                (long) settings.number(EVERY, 1, 1, Integer.MAX_VALUE),
                (long) settings.number(FREEZE_STEP, 0, 0, Integer.MAX_VALUE));
    }

    /** Tells whether a step, counted from 1, is one of them. */
    boolean include(long step) {
        return (freezeStep == 0 || step < freezeStep) && (step - 1) % every == 0;
    }
}
