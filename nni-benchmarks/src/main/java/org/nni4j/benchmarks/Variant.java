package org.nni4j.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.nni4j.config.ConfigEntry;
import org.nni4j.config.ConfigEntryBuilder;
import org.nni4j.config.ConfigList;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;

/** A way to train: in float, or by an algorithm that quantizes every layer that has weights. */
enum Variant {
    FLOAT("float", "", 0),
    QAT("QAT int8", "qat", 8),
    QAT_FROZEN("QAT int8, observers frozen", "qat", 8),
    QAT_FOLDED("QAT int8, BatchNorm folded", "qat", 8),
    LSQ("LSQ W4A4", "lsq", 4),
    DOREFA("DoReFa W4A4", "dorefa", 4);

    private final String title;
    private final String algorithm;
    private final int bits;

    Variant(String title, String algorithm, int bits) {
        this.title = title;
        this.algorithm = algorithm;
        this.bits = bits;
    }

    /** Returns those that make sense for a network, float first. */
    static List<Variant> of(Task task) {
        return Arrays.stream(values()).filter(v -> !v.folds() || task.normalized()).toList();
    }

    /** Returns the name for people. */
    String title() {
        return title;
    }

    /** Returns the algorithm's name, empty for float. */
    String algorithm() {
        return algorithm;
    }

    /** Tells whether the network is traced, so that each BatchNorm is folded. */
    boolean folds() {
        return this == QAT_FOLDED;
    }

    /** Returns the config list; dtypes and schemes are the algorithm's own. */
    ConfigList config() {
        ConfigEntryBuilder entry =
                ConfigEntry.builder()
                        .quantTypes(QuantType.WEIGHT, QuantType.INPUT)
                        .quantBits(bits)
                        .opTypes("Conv2d", "Linear");
        if (this == QAT_FROZEN) {
            entry.setting(SettingKey.OBSERVER_FREEZE_STEP, 1);
        }
        return ConfigList.of(entry.build());
    }

    /** Returns what a step may cost at most, in steps of the float network; empty if not agreed. */
    OptionalDouble target(Task task) {
        double target =
                switch (this) {
                    case QAT ->
                            switch (task) {
                                case LENET -> 1.6;
                                case RESNET20, TRANSFORMER -> 1.25;
                            };
                    case QAT_FROZEN -> task == Task.RESNET20 ? 1.12 : 0;
                    case QAT_FOLDED -> task == Task.RESNET20 ? 1.5 : 0;
                    case LSQ -> task == Task.RESNET20 ? 1.35 : 0;
                    case FLOAT, DOREFA -> 0;
                };
        return target == 0 ? OptionalDouble.empty() : OptionalDouble.of(target);
    }
}
