package org.nni4j.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/**
 * Writes an entry in Java. Nothing is checked before {@link #build()}, which then reports every
 * problem together.
 *
 * <p>Where a method takes a quant type, its value goes before the one for all types.
 */
public final class ConfigEntryBuilder {

    private final List<String> quantTypes = new ArrayList<>();
    private final List<String> opTypes = new ArrayList<>();
    private final List<String> opNames = new ArrayList<>();
    private final List<String> opNamesRe = new ArrayList<>();
    private final PerType<Integer> quantBits = new PerType<>();
    private final PerType<QuantizationDtype> quantDtype = new PerType<>();
    private final PerType<QuantizationScheme> quantScheme = new PerType<>();
    private final Map<String, Object> settings = new LinkedHashMap<>();
    private boolean exclude;
    private int quantStartStep;

    ConfigEntryBuilder() {}

    /**
     * Adds tensors to quantize.
     *
     * @param types each once
     * @return this
     */
    public ConfigEntryBuilder quantTypes(QuantType... types) {
        for (QuantType type : types) {
            quantTypes.add(type.key());
        }
        return this;
    }

    /**
     * Sets the width of all requested types.
     *
     * @param bits 1..16
     * @return this
     */
    public ConfigEntryBuilder quantBits(int bits) {
        quantBits.all = bits;
        return this;
    }

    /**
     * Sets the width of one type.
     *
     * @param type weight, input or output
     * @param bits 1..16
     * @return this
     */
    public ConfigEntryBuilder quantBits(QuantType type, int bits) {
        quantBits.one.put(type, bits);
        return this;
    }

    /**
     * Adds layer types to select.
     *
     * @param types for instance {@code Conv2d}, each once
     * @return this
     */
    public ConfigEntryBuilder opTypes(String... types) {
        return opTypes(List.of(types));
    }

    /**
     * Adds layer types to select.
     *
     * @param types for instance {@code Conv2d}, each once
     * @return this
     */
    public ConfigEntryBuilder opTypes(Collection<String> types) {
        opTypes.addAll(types);
        return this;
    }

    /**
     * Adds layer paths to select.
     *
     * @param names for instance {@code 01SequentialBlock.02Linear}, each once
     * @return this
     */
    public ConfigEntryBuilder opNames(String... names) {
        return opNames(List.of(names));
    }

    /**
     * Adds layer paths to select.
     *
     * @param names for instance {@code 01SequentialBlock.02Linear}, each once
     * @return this
     */
    public ConfigEntryBuilder opNames(Collection<String> names) {
        opNames.addAll(names);
        return this;
    }

    /**
     * Adds regular expressions, of which one must match the whole path.
     *
     * @param patterns in the syntax of {@link java.util.regex.Pattern}, each once
     * @return this
     */
    public ConfigEntryBuilder opNamesRe(String... patterns) {
        opNamesRe.addAll(List.of(patterns));
        return this;
    }

    /**
     * Leaves the selected layers in float.
     *
     * @return this
     */
    public ConfigEntryBuilder exclude() {
        exclude = true;
        return this;
    }

    /**
     * Sets the training step that begins quantization.
     *
     * @param step at least 0; 0 and 1 mean at once
     * @return this
     */
    public ConfigEntryBuilder quantStartStep(int step) {
        quantStartStep = step;
        return this;
    }

    /**
     * Sets the dtype of all requested types.
     *
     * @param dtype signed or unsigned
     * @return this
     */
    public ConfigEntryBuilder quantDtype(QuantizationDtype dtype) {
        quantDtype.all = dtype;
        return this;
    }

    /**
     * Sets the dtype of one type.
     *
     * @param type weight, input or output
     * @param dtype signed or unsigned
     * @return this
     */
    public ConfigEntryBuilder quantDtype(QuantType type, QuantizationDtype dtype) {
        quantDtype.one.put(type, dtype);
        return this;
    }

    /**
     * Sets the scheme of all requested types.
     *
     * @param scheme affine or symmetric, per tensor or channel
     * @return this
     */
    public ConfigEntryBuilder quantScheme(QuantizationScheme scheme) {
        quantScheme.all = scheme;
        return this;
    }

    /**
     * Sets the scheme of one type.
     *
     * @param type weight, input or output
     * @param scheme affine or symmetric, per tensor or channel
     * @return this
     */
    public ConfigEntryBuilder quantScheme(QuantType type, QuantizationScheme scheme) {
        quantScheme.one.put(type, scheme);
        return this;
    }

    /**
     * Sets one of the known settings.
     *
     * @param key the setting
     * @param value of the type the key states
     * @return this
     */
    public ConfigEntryBuilder setting(SettingKey key, Object value) {
        return setting(key.key(), value);
    }

    /**
     * Sets a setting, a known one or one of an algorithm of your own.
     *
     * @param key its name in JSON
     * @param value a string, boolean or number
     * @return this
     */
    public ConfigEntryBuilder setting(String key, Object value) {
        settings.put(key, value);
        return this;
    }

    /**
     * Checks everything and makes the entry.
     *
     * @return the entry
     * @throws ConfigException with every problem, its path beginning with {@code entry}
     */
    public ConfigEntry build() {
        Problems problems = new Problems();
        EntryReader reader = EntryReader.read(MapTree.read(toMap(), "entry"), "entry", problems);
        problems.throwIfAny(null);
        return reader.entry();
    }

    /** Writes down what was said, right or wrong, for the one checker. */
    private Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        put(map, EntryKey.QUANT_TYPES, quantTypes, !quantTypes.isEmpty());
        put(map, EntryKey.OP_TYPES, opTypes, !opTypes.isEmpty());
        put(map, EntryKey.OP_NAMES, opNames, !opNames.isEmpty());
        put(map, EntryKey.OP_NAMES_RE, opNamesRe, !opNamesRe.isEmpty());
        put(map, EntryKey.EXCLUDE, exclude, exclude);
        put(map, EntryKey.QUANT_START_STEP, quantStartStep, quantStartStep != 0);
        quantBits.write(map, EntryKey.QUANT_BITS, quantTypes, bits -> bits);
        quantDtype.write(map, EntryKey.QUANT_DTYPE, quantTypes, QuantizationDtype::key);
        quantScheme.write(map, EntryKey.QUANT_SCHEME, quantTypes, QuantizationScheme::key);
        Map<String, Object> free = new LinkedHashMap<>();
        settings.forEach(
                (key, value) -> (SettingKey.find(key).isPresent() ? map : free).put(key, value));
        put(map, EntryKey.SETTINGS, free, !free.isEmpty());
        return map;
    }

    private static void put(Map<String, Object> map, String key, Object value, boolean present) {
        if (present) {
            map.put(key, value);
        }
    }

    /** A value for all quant types, and values for single ones. */
    private static final class PerType<T> {
        private @Nullable T all;
        private final Map<QuantType, T> one = new EnumMap<>(QuantType.class);

        void write(
                Map<String, Object> map,
                String key,
                List<String> quantTypes,
                Function<T, Object> written) {
            if (one.isEmpty()) {
                if (all != null) {
                    map.put(key, written.apply(all));
                }
                return;
            }
            Map<String, Object> values = new LinkedHashMap<>();
            if (all != null) {
                Object value = written.apply(all);
                quantTypes.forEach(type -> values.put(type, value));
            }
            one.forEach((type, value) -> values.put(type.key(), written.apply(value)));
            map.put(key, values);
        }
    }
}
