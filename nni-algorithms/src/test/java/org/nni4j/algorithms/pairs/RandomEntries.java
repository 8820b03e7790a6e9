package org.nni4j.algorithms.pairs;

import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.nni4j.algorithm.Capabilities;
import org.nni4j.algorithm.Capabilities.BitRange;
import org.nni4j.algorithm.QuantizationAlgorithm;
import org.nni4j.config.QuantType;
import org.nni4j.layer.Layer;
import org.nni4j.layer.LayerTree;
import org.nni4j.quantization.QuantizationDtype;

/**
 * A config list for one network and algorithm, drawn from a seed. Most ask only for what can be
 * done; about one in four entries asks for something that cannot, now and then.
 */
final class RandomEntries {

    private final Random random;
    private final Capabilities capabilities;

    /** The only layers the algorithm works on; empty for any. */
    private final Set<String> only;

    private final List<Layer> layers;

    RandomEntries(long seed, QuantizationAlgorithm algorithm, LayerTree tree) {
        this.random = new Random(new SplittableRandom(seed).nextLong());
        this.capabilities = algorithm.capabilities();
        this.only = algorithm.layerTypes();
        this.layers = tree.layers();
    }

    List<Map<String, Object>> draw() {
        List<Map<String, Object>> entries = new ArrayList<>();
        int size = 1 + random.nextInt(3);
        for (int i = 0; i < size; i++) {
            entries.add(entry());
        }
        return entries;
    }

    private Map<String, Object> entry() {
        Map<String, Object> entry = new LinkedHashMap<>();
        if (random.nextInt(8) == 0) {
            entry.put("exclude", true);
        } else {
            numbers(entry);
            settings(entry);
        }
        select(entry);
        return entry;
    }

    private boolean wild() {
        return random.nextInt(25) == 0;
    }

    private void numbers(Map<String, Object> entry) {
        List<QuantType> supported = new ArrayList<>(capabilities.bits().keySet());
        if (wild()) {
            supported = List.of(QuantType.values());
        }
        // An algorithm of certain layers replaces their kernels, which take all or nothing.
        List<QuantType> types = only.isEmpty() || wild() ? some(supported) : supported;
        Map<String, Object> bits = new LinkedHashMap<>();
        for (QuantType type : types) {
            BitRange range = capabilities.bits().get(type);
            bits.put(
                    type.key(),
                    range == null || wild()
                            ? 1 + random.nextInt(16)
                            : range.min() + random.nextInt(range.max() - range.min() + 1));
        }
        entry.put("quant_types", types.stream().map(QuantType::key).toList());
        entry.put("quant_bits", bits);
        if ((capabilities.dtypeSelectable() && random.nextInt(4) == 0) || wild()) {
            entry.put("quant_dtype", one(List.of(QuantizationDtype.values())).key());
        }
        if (!capabilities.schemes().isEmpty() && random.nextInt(4) == 0) {
            entry.put("quant_scheme", one(capabilities.schemes().stream().sorted().toList()).key());
        }
        if ((capabilities.startStep() && random.nextInt(4) == 0) || wild()) {
            entry.put("quant_start_step", random.nextInt(3));
        }
    }

    private void settings(Map<String, Object> entry) {
        Map<String, Object> known = new LinkedHashMap<>();
        known.put("bn_freeze_step", random.nextInt(3));
        known.put("share_scale", random.nextBoolean());
        known.put("observe_every", 1 + random.nextInt(3));
        known.put("observer_freeze_step", random.nextInt(3));
        known.put(
                "observer",
                one(List.of("min_max", "ema", "percentile", "histogram", "entropy", "mse")));
        known.put("reduce_range", random.nextBoolean());
        known.put("unsigned", random.nextBoolean());
        Map<String, Object> own = new LinkedHashMap<>();
        own.put("variant", one(List.of("paper", "nni")));
        own.put("stochastic", random.nextBoolean());
        own.put("narrow_range", random.nextBoolean());
        own.put("learning_rate_multiple", 0.5 + random.nextDouble());
        own.put("count_batch", random.nextBoolean());
        List<?> types = (List<?>) entry.getOrDefault("quant_types", List.of());
        own.put("output_gradient", types.contains(QuantType.OUTPUT.key()) || wild());
        known.forEach((key, value) -> putIfAsked(entry, key, value));
        if ("percentile".equals(entry.get("observer")) || wild()) {
            entry.put("percentile", 99 + random.nextDouble());
        }
        Map<String, Object> settings = new LinkedHashMap<>();
        own.forEach((key, value) -> putIfAsked(settings, key, value));
        if (!settings.isEmpty()) {
            entry.put("settings", settings);
        }
    }

    private void putIfAsked(Map<String, Object> target, String key, Object value) {
        boolean understood = capabilities.settings().contains(key);
        if (random.nextInt(understood ? 4 : 250) == 0) {
            target.put(key, value);
        }
    }

    private void select(Map<String, Object> entry) {
        List<?> types = (List<?>) entry.getOrDefault("quant_types", List.of());
        List<Layer> able =
                layers.stream()
                        .filter(l -> !types.contains("weight") || hasWeight(l) || wild())
                        .filter(l -> !types.contains("input") || !takesIndices(l) || wild())
                        .filter(l -> only.isEmpty() || only.contains(l.type()) || wild())
                        .toList();
        int which = random.nextInt(8);
        if (which < 5 || able.isEmpty()) {
            Set<String> words = new TreeSet<>(Set.of("Conv2d", "Linear"));
            words.removeIf(type -> !only.isEmpty() && !only.contains(type));
            able.forEach(layer -> words.add(layer.type()));
            entry.put("op_types", some(List.copyOf(words)));
        }
        if (which >= 4 && which < 7 && !able.isEmpty()) {
            List<String> paths = new ArrayList<>(able.stream().map(Layer::path).toList());
            if (wild()) {
                paths.add("99NoSuchLayer");
            }
            entry.put("op_names", some(paths));
        }
        if (which == 7) {
            boolean any = !types.contains("weight") && !types.contains("input");
            entry.put("op_names_re", List.of(any ? "0[1-3].*" : ".*Linear"));
        }
    }

    private static boolean takesIndices(Layer layer) {
        return layer.type().contains("Embedding");
    }

    private static boolean hasWeight(Layer layer) {
        return layer.parameters().values().stream()
                .anyMatch(p -> p.getType() == Parameter.Type.WEIGHT);
    }

    private <T> T one(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    private <T> List<T> some(List<T> values) {
        List<T> shuffled = new ArrayList<>(values);
        Collections.shuffle(shuffled, random);
        return List.copyOf(shuffled.subList(0, 1 + random.nextInt(values.size())));
    }
}
