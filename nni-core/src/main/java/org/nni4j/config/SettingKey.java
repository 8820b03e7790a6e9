package org.nni4j.config;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The keys of an entry that tune how a tensor is quantized, beside the ones that say what is
 * quantized.
 *
 * <p>Their values are in {@link ConfigEntry#settings()} under {@link #key()}. Which of them an
 * algorithm understands is the algorithm's to say.
 */
public enum SettingKey {
    /**
     * The step from which on folded BatchNorm statistics stay, 0 for never: {@code Integer}, at
     * least 0.
     */
    BN_FREEZE_STEP("bn_freeze_step", ValueRule.whole(0, Integer.MAX_VALUE, "")),
    /** Observe the range at every n-th step: {@code Integer}, at least 1. */
    OBSERVE_EVERY("observe_every", ValueRule.whole(1, Integer.MAX_VALUE, "")),
    /** The step from which on ranges stay, 0 for never: {@code Integer}, at least 0. */
    OBSERVER_FREEZE_STEP("observer_freeze_step", ValueRule.whole(0, Integer.MAX_VALUE, "")),
    /** How a range is found: {@code String}. */
    OBSERVER(
            "observer",
            ValueRule.word(
                    "observer", "min_max", "ema", "percentile", "histogram", "entropy", "mse")),
    /**
     * The share of values inside the range, of the percentile observer: {@code Double}, above 50,
     * at most 100.
     */
    PERCENTILE("percentile", ValueRule.number(50, 100)),
    /**
     * Whether the inputs of an operator, or of a layer without weights, share one scale: {@code
     * Boolean}.
     */
    SHARE_SCALE("share_scale", ValueRule.flag()),
    /**
     * Whether one bit is left unused, for CPUs without VNNI, whose int8 products saturate: {@code
     * Boolean}.
     */
    REDUCE_RANGE("reduce_range", ValueRule.flag()),
    /**
     * Whether quantized integers start at zero, for tensors without negative values: {@code
     * Boolean}.
     */
    UNSIGNED("unsigned", ValueRule.flag());

    private final String key;

    @SuppressWarnings("ImmutableEnumChecker") // rules hold no state
    private final ValueRule<?> rule;

    SettingKey(String key, ValueRule<?> rule) {
        this.key = key;
        this.rule = rule;
    }

    /**
     * Returns the spelling used in config lists.
     *
     * @return for instance {@code "observe_every"}
     */
    public String key() {
        return key;
    }

    /** Checks a value; null if it is wrong. */
    @Nullable Object read(ConfigNode node, String path, Problems problems) {
        return rule.read(node, path, problems);
    }

    static Optional<SettingKey> find(String key) {
        return Arrays.stream(values()).filter(setting -> setting.key.equals(key)).findFirst();
    }

    static List<String> keys() {
        return Arrays.stream(values()).map(SettingKey::key).toList();
    }
}
