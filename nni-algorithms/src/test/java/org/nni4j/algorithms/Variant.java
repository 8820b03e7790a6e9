package org.nni4j.algorithms;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.config.QuantType;
import org.nni4j.config.SettingKey;
import org.nni4j.quantization.QuantizationScheme;

/**
 * An algorithm with settings of its own, as contracts are tested with.
 *
 * @param algorithm its name
 * @param types what is quantized
 * @param scheme how ranges become scales; empty for the algorithm's own
 * @param settings by key
 */
record Variant(
        String algorithm,
        Set<QuantType> types,
        Optional<QuantizationScheme> scheme,
        Map<String, Object> settings) {

    /** Settings that have a place in the entry itself; others are in its settings object. */
    private static final Set<String> IN_THE_ENTRY =
            Arrays.stream(SettingKey.values()).map(SettingKey::key).collect(Collectors.toSet());

    /** Settings that are refused where no weight is quantized. */
    private static final Set<String> OF_WEIGHTS = Set.of("weights");

    /** Each algorithm as it is without settings. */
    static List<Variant> plain() {
        return Algorithms.available().stream().map(name -> of(name, Map.of())).toList();
    }

    /** Settings that make an algorithm compute otherwise. */
    static List<Variant> set() {
        Variant gradient = of("dorefa", Map.of("output_gradient", true));
        return Stream.concat(
                        Stream.of(
                                of("pact", Map.of("weights", "sawb")),
                                of("bnn", Map.of("stochastic", true)),
                                of("dorefa", Map.of("variant", "nni")),
                                new Variant(
                                        "dorefa",
                                        Set.of(QuantType.OUTPUT),
                                        Optional.empty(),
                                        gradient.settings),
                                of("lsq", Map.of("narrow_range", true)),
                                of("lsq", Map.of("count_batch", false)),
                                of("lsq", Map.of("learning_rate_multiple", .5)),
                                of("lsq", Map.of()).with(QuantizationScheme.PER_CHANNEL_SYMMETRIC),
                                of("lsq", Map.of()).with(QuantizationScheme.PER_TENSOR_AFFINE),
                                of("lsq", Map.of()).with(QuantizationScheme.PER_CHANNEL_AFFINE),
                                of("observer", Map.of("reduce_range", true)),
                                of("observer", Map.of("ema_bias_correction", true))
                                        .and("observer", "ema"),
                                of("observer", Map.of())
                                        .with(QuantizationScheme.PER_CHANNEL_AFFINE),
                                of("qat", Map.of("observer_freeze_step", 2)),
                                of("qat", Map.of("observe_every", 2)),
                                of("qat", Map.of()).with(QuantizationScheme.PER_CHANNEL_AFFINE),
                                of("dynamic", Map.of("profile", "pytorch"))),
                        Stream.of("min_max", "ema", "percentile", "histogram", "entropy", "mse")
                                .map(kind -> of("observer", Map.of("observer", kind))))
                .toList();
    }

    static Variant of(String algorithm, Map<String, Object> settings) {
        return new Variant(
                algorithm,
                Algorithms.find(algorithm).capabilities().bits().keySet(),
                Optional.empty(),
                settings);
    }

    private Variant with(QuantizationScheme other) {
        return new Variant(algorithm, types, Optional.of(other), settings);
    }

    /** The same with one setting more. */
    Variant and(String key, Object value) {
        Map<String, Object> all = new LinkedHashMap<>(settings);
        all.put(key, value);
        return new Variant(algorithm, types, scheme, all);
    }

    /** The same for some of its types, without the settings that these have no use for. */
    Variant on(Set<QuantType> some) {
        Map<String, Object> used = new LinkedHashMap<>(settings);
        if (!some.contains(QuantType.WEIGHT)) {
            used.keySet().removeAll(OF_WEIGHTS);
        }
        return new Variant(algorithm, some, scheme, used);
    }

    /** Its keys of a config entry, without quant types and widths. */
    Map<String, Object> keys() {
        Map<String, Object> keys = new LinkedHashMap<>();
        Map<String, Object> own = new LinkedHashMap<>();
        settings.forEach((key, v) -> (IN_THE_ENTRY.contains(key) ? keys : own).put(key, v));
        if (!own.isEmpty()) {
            keys.put("settings", own);
        }
        scheme.ifPresent(given -> keys.put("quant_scheme", given.key()));
        return keys;
    }

    @Override
    public String toString() {
        return algorithm + scheme.map(given -> " " + given.key()).orElse("") + " " + settings;
    }
}
