package org.nni4j.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.config.ConfigEntry;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;
import org.nni4j.quantization.QuantizationScheme;

/** Holds config entries against what an algorithm can do. */
final class CapabilityCheck {

    private static final Set<String> OF_TRACKED_RANGES =
            Set.of(SettingKey.OBSERVE_EVERY.key(), SettingKey.OBSERVER_FREEZE_STEP.key());

    private final String algorithm;
    private final Capabilities capabilities;

    CapabilityCheck(QuantizationAlgorithm algorithm) {
        this.algorithm = "\"" + algorithm.name() + "\"";
        this.capabilities = algorithm.capabilities();
    }

    List<ConfigProblem> problems(ConfigEntry entry, int index) {
        List<ConfigProblem> problems = new ArrayList<>();
        if (entry.exclude()) {
            return problems;
        }
        String path = "config[" + index + "].";
        for (QuantType type : entry.quantTypes()) {
            BitRange range = capabilities.bits().get(type);
            if (range == null) {
                problems.add(
                        new ConfigProblem(
                                path + "quant_types",
                                "\""
                                        + type.key()
                                        + "\" is not supported by algorithm "
                                        + algorithm
                                        + "; expected "
                                        + types()));
                continue;
            }
            int bits = bits(entry, type);
            if (bits < range.min() || bits > range.max()) {
                problems.add(
                        new ConfigProblem(
                                path + "quant_bits." + type.key(),
                                bits
                                        + " bits is not supported by algorithm "
                                        + algorithm
                                        + "; expected "
                                        + text(range)));
            }
        }
        problems.addAll(numberProblems(entry, path));
        return problems;
    }

    private List<ConfigProblem> numberProblems(ConfigEntry entry, String path) {
        List<ConfigProblem> problems = new ArrayList<>();
        if (!capabilities.dtypeSelectable() && !entry.quantDtype().isEmpty()) {
            problems.add(unsupported(path + "quant_dtype", "the algorithm fixes its own"));
        }
        for (Map.Entry<QuantType, QuantizationScheme> e : entry.quantScheme().entrySet()) {
            if (!capabilities.schemes().contains(e.getValue())) {
                problems.add(
                        new ConfigProblem(
                                path + "quant_scheme." + e.getKey().key(),
                                "\""
                                        + e.getValue().key()
                                        + "\" is not supported by algorithm "
                                        + algorithm
                                        + "; expected "
                                        + schemes()));
            }
        }
        if (!capabilities.startStep() && entry.quantStartStep() > 0) {
            problems.add(unsupported(path + "quant_start_step", "quantization begins at once"));
        }
        for (String key : entry.settings().keySet()) {
            if (!capabilities.settings().contains(key)) {
                problems.add(
                        unsupported(
                                path + key, "expected " + new TreeSet<>(capabilities.settings())));
            } else if (OF_TRACKED_RANGES.contains(key)
                    && entry.quantTypes().stream().allMatch(t -> t == QuantType.WEIGHT)) {
                problems.add(
                        new ConfigProblem(
                                path + key,
                                "has no effect on weights, whose range is never tracked; expected"
                                        + " input or output in quant_types"));
            } else if (key.equals(SettingKey.SHARE_SCALE.key())
                    && Boolean.TRUE.equals(entry.settings().get(key))
                    && !entry.quantTypes().contains(QuantType.INPUT)) {
                problems.add(
                        new ConfigProblem(
                                path + key,
                                "has an effect on inputs only; quant_types are "
                                        + entry.quantTypes().stream().map(QuantType::key).toList()
                                        + ", expected input among them"));
            }
        }
        return problems;
    }

    private ConfigProblem unsupported(String path, String instead) {
        return new ConfigProblem(
                path, "is not supported by algorithm " + algorithm + "; " + instead);
    }

    static int bits(ConfigEntry entry, QuantType type) {
        Integer bits = entry.quantBits().get(type);
        if (bits == null) {
            throw new IllegalStateException("entry without bits for " + type.key());
        }
        return bits;
    }

    private String types() {
        return java.util.Arrays.stream(QuantType.values())
                .filter(capabilities.bits()::containsKey)
                .map(QuantType::key)
                .toList()
                .toString();
    }

    private String schemes() {
        return capabilities.schemes().isEmpty()
                ? "none, the algorithm fixes its own"
                : capabilities.schemes().stream()
                        .map(QuantizationScheme::key)
                        .sorted()
                        .collect(Collectors.toList())
                        .toString();
    }

    private static String text(BitRange range) {
        return range.min() == range.max()
                ? String.valueOf(range.min())
                : range.min() + ".." + range.max();
    }
}
