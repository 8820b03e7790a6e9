package org.nni4j.config;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Maps;
import com.google.common.collect.Sets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/**
 * One entry of a config list: which layers, and what to do with them. Immutable, and always valid.
 *
 * <p>A layer is selected if its type is among {@code opTypes} (or these are empty) <em>and</em> its
 * path is among {@code opNames} or matches one of {@code opNamesRe} (or both are empty). Of several
 * entries that select a layer, the last one decides alone.
 *
 * @param quantTypes the tensors to quantize; empty only in an excluding entry
 * @param quantBits the width of each requested type, 1..16; may hold types that are not requested
 * @param opTypes layer types, for instance {@code Conv2d}
 * @param opNames layer paths, for instance {@code 01SequentialBlock.02Linear}
 * @param opNamesRe regular expressions, of which one must match the whole path
 * @param exclude whether the selected layers stay float; everything but the selection is then
 *     without effect
 * @param quantStartStep the training step that begins quantization; 0 and 1 mean at once
 * @param quantDtype the dtype by quant type; one that is absent follows the quantizer's default
 * @param quantScheme the scheme by quant type; one that is absent follows the quantizer's default
 * @param settings everything else by key: those of {@link SettingKey}, with the types stated there,
 *     and free ones of an algorithm, each a {@code String}, {@code Boolean}, {@code Integer},
 *     {@code Long} or {@code Double}
 */
public record ConfigEntry(
        Set<QuantType> quantTypes,
        Map<QuantType, Integer> quantBits,
        Set<String> opTypes,
        Set<String> opNames,
        List<String> opNamesRe,
        boolean exclude,
        int quantStartStep,
        Map<QuantType, QuantizationDtype> quantDtype,
        Map<QuantType, QuantizationScheme> quantScheme,
        Map<String, Object> settings) {

    /**
     * Copies and checks everything, by the rules of the JSON form.
     *
     * @throws ConfigException with every problem, its path beginning with {@code entry}
     */
    public ConfigEntry(
            Set<QuantType> quantTypes,
            Map<QuantType, Integer> quantBits,
            Set<String> opTypes,
            Set<String> opNames,
            List<String> opNamesRe,
            boolean exclude,
            int quantStartStep,
            Map<QuantType, QuantizationDtype> quantDtype,
            Map<QuantType, QuantizationScheme> quantScheme,
            Map<String, Object> settings) {
        this.quantTypes = Sets.immutableEnumSet(quantTypes);
        this.quantBits = Maps.immutableEnumMap(quantBits);
        this.opTypes = ImmutableSet.copyOf(opTypes);
        this.opNames = ImmutableSet.copyOf(opNames);
        this.opNamesRe = List.copyOf(opNamesRe);
        this.exclude = exclude;
        this.quantStartStep = quantStartStep;
        this.quantDtype = Maps.immutableEnumMap(quantDtype);
        this.quantScheme = Maps.immutableEnumMap(quantScheme);
        ImmutableMap.Builder<String, Object> canonical = ImmutableMap.builder();
        settings.forEach((key, value) -> canonical.put(key, SettingsReader.canonical(key, value)));
        this.settings = canonical.buildOrThrow();
        Problems problems = new Problems();
        EntryReader.read(MapTree.read(toMap(), "entry"), "entry", problems);
        problems.throwIfAny(null);
    }

    /**
     * Starts an entry in Java.
     *
     * @return an empty builder
     */
    public static ConfigEntryBuilder builder() {
        return new ConfigEntryBuilder();
    }

    /**
     * Returns the entry as it is written in maps and JSON, without what is absent.
     *
     * @return keys in the order of the documentation; values are strings, numbers, booleans, lists
     *     and maps
     */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        putStrings(map, EntryKey.QUANT_TYPES, quantTypes.stream().map(QuantType::key).toList());
        putPerType(map, EntryKey.QUANT_BITS, quantBits, bits -> bits);
        putStrings(map, EntryKey.OP_TYPES, opTypes);
        putStrings(map, EntryKey.OP_NAMES, opNames);
        putStrings(map, EntryKey.OP_NAMES_RE, opNamesRe);
        if (exclude) {
            map.put(EntryKey.EXCLUDE, true);
        }
        if (quantStartStep != 0) {
            map.put(EntryKey.QUANT_START_STEP, quantStartStep);
        }
        putPerType(map, EntryKey.QUANT_DTYPE, quantDtype, QuantizationDtype::key);
        putPerType(map, EntryKey.QUANT_SCHEME, quantScheme, QuantizationScheme::key);
        putSettings(map);
        return map;
    }

    private void putSettings(Map<String, Object> map) {
        Map<String, Object> free = new TreeMap<>(settings);
        for (SettingKey key : SettingKey.values()) {
            Object value = free.remove(key.key());
            if (value != null) {
                map.put(key.key(), value);
            }
        }
        if (!free.isEmpty()) {
            map.put(EntryKey.SETTINGS, free);
        }
    }

    private static void putStrings(
            Map<String, Object> map, String key, Collection<String> strings) {
        if (!strings.isEmpty()) {
            map.put(key, List.copyOf(strings));
        }
    }

    /**
     * One value stands for all requested types, if they have the same and no other type has one.
     */
    private <T> void putPerType(
            Map<String, Object> map,
            String key,
            Map<QuantType, T> values,
            Function<T, Object> written) {
        if (values.isEmpty()) {
            return;
        }
        if (values.keySet().equals(quantTypes) && Set.copyOf(values.values()).size() == 1) {
            map.put(key, written.apply(values.values().iterator().next()));
            return;
        }
        Map<String, Object> perType = new LinkedHashMap<>();
        values.forEach((type, value) -> perType.put(type.key(), written.apply(value)));
        map.put(key, perType);
    }
}
