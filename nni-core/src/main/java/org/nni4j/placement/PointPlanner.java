package org.nni4j.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.ConfigEntry;
import org.nni4j.config.ConfigProblem;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** Turns what an entry says of a target into quantization points. */
final class PointPlanner {

    private final QuantizationAlgorithm algorithm;
    private final @Nullable QuantizationDefaults defaults;
    private final List<ConfigProblem> problems;

    PointPlanner(
            QuantizationAlgorithm algorithm,
            @Nullable QuantizationDefaults defaults,
            List<ConfigProblem> problems) {
        this.algorithm = algorithm;
        this.defaults = defaults;
        this.problems = problems;
    }

    PlannedLayer plan(Target target, @Nullable ConfigEntry entry, int index) {
        if (entry == null) {
            return alone(target, "no entry matches");
        }
        if (entry.exclude()) {
            return alone(target, "excluded by config[" + index + "]");
        }
        Set<String> types = algorithm.layerTypes();
        if (!types.isEmpty() && !types.contains(target.type())) {
            problems.add(unsupported(target, index, types));
            return alone(target, "not supported by algorithm \"" + algorithm.name() + "\"");
        }
        List<QuantizationPoint> points = new ArrayList<>();
        for (QuantType type : QuantType.values()) {
            if (entry.quantTypes().contains(type)) {
                points.addAll(points(target, entry, index, type));
            }
        }
        // An algorithm's own check may rely on its capabilities.
        if (problems.isEmpty()) {
            points.forEach(this::check);
            checkSharing(target, entry, index);
        }
        if (problems.isEmpty()) {
            checkLayer(points, index);
        }
        return new PlannedLayer(
                target.path(),
                target.type(),
                target.aliases(),
                points,
                "",
                target instanceof Target.OfOperator);
    }

    private static PlannedLayer alone(Target target, String reason) {
        return new PlannedLayer(
                target.path(),
                target.type(),
                target.aliases(),
                List.of(),
                reason,
                target instanceof Target.OfOperator);
    }

    private List<QuantizationPoint> points(
            Target target, ConfigEntry entry, int index, QuantType type) {
        if (type == QuantType.INPUT && target.takesIntegers()) {
            problem(
                    target,
                    index,
                    "takes integer indices, which cannot be quantized; leave \"input\" out or give"
                            + " layers of this type an entry of their own");
            return List.of();
        }
        if (type != QuantType.WEIGHT) {
            return List.of(point(target, entry, index, type, "0"));
        }
        if (target.weights().isEmpty()) {
            problem(
                    target,
                    index,
                    "has no weight; leave \"weight\" out or give "
                            + target.kind()
                            + "s of this type an entry of their own");
        }
        return target.weights().stream()
                .map(name -> point(target, entry, index, type, name))
                .toList();
    }

    private void problem(Target target, int index, String what) {
        problems.add(
                new ConfigProblem(
                        "config[" + index + "].quant_types",
                        target.kind()
                                + " \""
                                + target.path()
                                + "\" ("
                                + target.type()
                                + ") "
                                + what));
    }

    private void check(QuantizationPoint point) {
        if (sharesScale(point.settings())
                && point.quantType() == QuantType.INPUT
                && point.scheme().isPerChannel()) {
            problems.add(
                    new ConfigProblem(
                            sharing(point.entry()),
                            "inputs share one scale only per tensor; "
                                    + point.scheme().key()
                                    + " has one for each channel"));
        }
        try {
            algorithm.check(point);
        } catch (IllegalArgumentException e) {
            problems.add(
                    new ConfigProblem(
                            "config[" + point.entry() + "]", String.valueOf(e.getMessage())));
        }
    }

    /** One scale for all inputs means something only where several may come. */
    private void checkSharing(Target target, ConfigEntry entry, int index) {
        if (sharesScale(entry.settings()) && !target.weights().isEmpty()) {
            problems.add(
                    new ConfigProblem(
                            sharing(index),
                            target.kind()
                                    + " \""
                                    + target.path()
                                    + "\" ("
                                    + target.type()
                                    + ") has no inputs that could share a scale; expected an"
                                    + " operator or a layer without weights"));
        }
    }

    private static boolean sharesScale(Map<String, Object> settings) {
        return Boolean.TRUE.equals(settings.get(SettingKey.SHARE_SCALE.key()));
    }

    private static String sharing(int index) {
        return "config[" + index + "]." + SettingKey.SHARE_SCALE.key();
    }

    private void checkLayer(List<QuantizationPoint> points, int index) {
        try {
            algorithm.checkLayer(points);
        } catch (IllegalArgumentException e) {
            problems.add(
                    new ConfigProblem("config[" + index + "]", String.valueOf(e.getMessage())));
        }
    }

    private ConfigProblem unsupported(Target target, int index, Set<String> types) {
        return new ConfigProblem(
                "config[" + index + "]",
                target.kind()
                        + " \""
                        + target.path()
                        + "\" ("
                        + target.type()
                        + ") is not supported by algorithm \""
                        + algorithm.name()
                        + "\"; expected op_types out of "
                        + new TreeSet<>(types));
    }

    private QuantizationPoint point(
            Target target, ConfigEntry entry, int index, QuantType type, String tensor) {
        QuantizationDtype dtype = entry.quantDtype().getOrDefault(type, dtype(type));
        QuantizationScheme scheme = entry.quantScheme().getOrDefault(type, scheme(type));
        return new QuantizationPoint(
                target.path(),
                target.type(),
                type,
                tensor,
                new QuantizedType(CapabilityCheck.bits(entry, type), dtype),
                scheme,
                target.channelAxis(type),
                entry.quantStartStep(),
                index,
                entry.settings());
    }

    private QuantizationDtype dtype(QuantType type) {
        if (defaults != null && algorithm.capabilities().dtypeSelectable()) {
            return defaults.dtype(type);
        }
        return algorithm.defaultDtype(type).orElse(QuantizationDefaults.runtime().dtype(type));
    }

    private QuantizationScheme scheme(QuantType type) {
        if (defaults != null
                && algorithm.capabilities().schemes().contains(defaults.scheme(type))) {
            return defaults.scheme(type);
        }
        return algorithm.defaultScheme(type).orElse(QuantizationDefaults.runtime().scheme(type));
    }
}
