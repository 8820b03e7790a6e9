package org.nni4j.config;

import static org.nni4j.config.MessageText.member;
import static org.nni4j.config.MessageText.quote;

import com.google.common.collect.ImmutableSet;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationScheme;

/**
 * The one checker of entries, whether they came from JSON, from maps or from Java.
 *
 * <p>It goes on after a problem, so that all of them are found; {@link #entry()} may be called if
 * there was none.
 */
final class EntryReader {

    static final int LONGEST_NAME = 1000;

    /**
     * Nobody can read longer ones, and the ones that match in exponential time by accident are
     * long.
     */
    static final int LONGEST_PATTERN = 256;

    private static final ValueRule<QuantType> TYPE =
            ValueRule.choice("quant type", QuantType.values(), QuantType::key);
    private static final String NNI_DEFAULT = "default";
    private static final List<String> QUANT_TYPE_KEYS =
            Arrays.stream(QuantType.values()).map(QuantType::key).toList();
    private static final ValueRule<Integer> BITS = ValueRule.whole(1, 16, " bits");
    private static final ValueRule<QuantizationDtype> DTYPE =
            ValueRule.choice("dtype", QuantizationDtype.values(), QuantizationDtype::key);
    private static final ValueRule<QuantizationScheme> SCHEME =
            ValueRule.choice("scheme", QuantizationScheme.values(), QuantizationScheme::key);
    private static final ValueRule<Integer> STEP = ValueRule.whole(0, Integer.MAX_VALUE, "");

    private final String path;
    private final Map<String, ConfigNode> members;
    private final Problems problems;

    private final Set<QuantType> quantTypes = EnumSet.noneOf(QuantType.class);
    private final Map<QuantType, Integer> quantBits = new EnumMap<>(QuantType.class);
    private final Map<QuantType, QuantizationDtype> quantDtype = new EnumMap<>(QuantType.class);
    private final Map<QuantType, QuantizationScheme> quantScheme = new EnumMap<>(QuantType.class);
    private final SettingsReader settings;
    private Collection<String> opTypes = List.of();
    private Collection<String> opNames = List.of();
    private Collection<String> opNamesRe = List.of();
    private boolean exclude;
    private int quantStartStep;

    private EntryReader(String path, Map<String, ConfigNode> members, Problems problems) {
        this.path = path;
        this.members = members;
        this.problems = problems;
        this.settings = new SettingsReader(problems);
    }

    /** Checks one entry and adds what is wrong. */
    static EntryReader read(ConfigNode node, String path, Problems problems) {
        if (node instanceof ConfigNode.Members entry) {
            EntryReader reader = new EntryReader(path, entry.values(), problems);
            reader.readAll();
            return reader;
        }
        String example =
                "{\"quant_types\": [\"weight\"], \"quant_bits\": 8, \"op_types\": [\"Conv2d\"]}";
        problems.add(path, node + " " + node.kind() + "; expected an object such as " + example);
        return new EntryReader(path, Map.of(), problems);
    }

    /** Makes the entry; only after a check without problems. */
    ConfigEntry entry() {
        return new ConfigEntry(
                quantTypes,
                quantBits,
                ImmutableSet.copyOf(opTypes),
                ImmutableSet.copyOf(opNames),
                List.copyOf(opNamesRe),
                exclude,
                quantStartStep,
                quantDtype,
                quantScheme,
                settings.settings());
    }

    private void readAll() {
        members.keySet().forEach(this::checkKnown);
        strings(EntryKey.QUANT_TYPES, LONGEST_NAME, this::checkType);
        readPerType(EntryKey.QUANT_BITS, BITS, quantBits);
        opTypes = strings(EntryKey.OP_TYPES, LONGEST_NAME, this::checkOpType);
        opNames = strings(EntryKey.OP_NAMES, LONGEST_NAME, (name, place) -> {});
        opNamesRe = strings(EntryKey.OP_NAMES_RE, LONGEST_PATTERN, this::checkPattern);
        exclude = Boolean.TRUE.equals(scalar(EntryKey.EXCLUDE, ValueRule.flag()));
        Integer startStep = scalar(EntryKey.QUANT_START_STEP, STEP);
        quantStartStep = startStep == null ? 0 : startStep;
        readPerType(EntryKey.QUANT_DTYPE, DTYPE, quantDtype);
        readPerType(EntryKey.QUANT_SCHEME, SCHEME, quantScheme);
        readSettings();
        checkSelection();
        checkPurpose();
    }

    private void checkKnown(String key) {
        if (!EntryKey.ALL.contains(key) && !problems.isFull()) {
            String question = Suggestion.of(key, EntryKey.ALL).question();
            String what = "unknown key " + quote(key) + question;
            problems.add(member(path, key), what + "; valid keys: " + EntryKey.ALL);
        }
    }

    private void checkType(String text, String place) {
        QuantType type = TYPE.read(new ConfigNode.Text(text), place, problems);
        if (type != null) {
            quantTypes.add(type);
        }
    }

    /**
     * In NNI the word stands for a list of PyTorch's types; silently matching none would be worse.
     */
    private void checkOpType(String text, String place) {
        if (text.equals(NNI_DEFAULT)) {
            String expected = "; expected types by name, such as \"Conv2d\" or \"Linear\"";
            problems.add(place, quote(text) + " stands for no layer types here" + expected);
        }
    }

    private void checkPattern(String pattern, String place) {
        try {
            NamePattern.of(pattern);
        } catch (PatternSyntaxException e) {
            String reason = e.getDescription() + " at character " + e.getIndex();
            problems.add(place, quote(pattern) + " is not a regular expression: " + reason);
        }
    }

    private void readSettings() {
        for (SettingKey key : SettingKey.values()) {
            ConfigNode node = members.get(key.key());
            if (node != null) {
                settings.readKnown(key, node, member(path, key.key()));
            }
        }
        ConfigNode free = members.get(EntryKey.SETTINGS);
        if (free != null) {
            settings.readFree(free, member(path, EntryKey.SETTINGS));
        }
    }

    private void checkSelection() {
        if (!has(EntryKey.OP_TYPES) && !has(EntryKey.OP_NAMES) && !has(EntryKey.OP_NAMES_RE)) {
            problems.add(path, "selects no layers; expected op_types, op_names or op_names_re");
        }
    }

    /** An entry excludes, or says what to quantize to how many bits. */
    private void checkPurpose() {
        boolean excludeUnclear =
                has(EntryKey.EXCLUDE)
                        && !(members.get(EntryKey.EXCLUDE) instanceof ConfigNode.Flag);
        if (exclude || excludeUnclear) {
            return;
        }
        if (!has(EntryKey.QUANT_TYPES) && !has(EntryKey.QUANT_BITS)) {
            String but = has(EntryKey.EXCLUDE) ? " (\"exclude\": false does not exclude)" : "";
            String expected = "; expected quant_types and quant_bits, or \"exclude\": true";
            problems.add(path, "says nothing to do" + but + expected);
        } else if (!has(EntryKey.QUANT_TYPES)) {
            String expected = "missing beside quant_bits; expected an array of quant types, ";
            problems.add(member(path, EntryKey.QUANT_TYPES), expected + TYPE.expected());
        } else if (!has(EntryKey.QUANT_BITS)) {
            String expected =
                    "missing beside quant_types; expected a whole number " + BITS.expected();
            problems.add(
                    member(path, EntryKey.QUANT_BITS), expected + ", or one for each quant type");
        } else if (members.get(EntryKey.QUANT_BITS) instanceof ConfigNode.Members bits
                && !bits.values().isEmpty()) {
            checkBitsForEachType(bits.values());
        }
    }

    private void checkBitsForEachType(Map<String, ConfigNode> bits) {
        for (QuantType type : quantTypes) {
            if (!bits.containsKey(type.key())) {
                problems.add(
                        member(member(path, EntryKey.QUANT_BITS), type.key()),
                        "missing, but quant_types asks for it; expected " + BITS.expected());
            }
        }
    }

    /**
     * Reads one value for all requested types, or one for each; types not requested may have one
     * too.
     */
    private <T> void readPerType(String key, ValueRule<T> rule, Map<QuantType, T> values) {
        ConfigNode node = members.get(key);
        if (node == null) {
            return;
        }
        String place = member(path, key);
        if (!(node instanceof ConfigNode.Members perType)) {
            T value = rule.read(node, place, problems);
            if (value != null) {
                quantTypes.forEach(type -> values.put(type, value));
            }
            return;
        }
        if (perType.values().isEmpty()) {
            problems.add(place, "{} is empty; expected at least one quant type");
        }
        perType.values().forEach((type, value) -> readOne(place, type, value, rule, values));
    }

    private <T> void readOne(
            String place,
            String key,
            ConfigNode node,
            ValueRule<T> rule,
            Map<QuantType, T> values) {
        String at = member(place, key);
        QuantType type = TYPE.read(new ConfigNode.Text(key), at, problems);
        T value = type == null ? null : rule.read(node, at, problems);
        if (type != null && value != null) {
            values.put(type, value);
        }
    }

    private <T> @Nullable T scalar(String key, ValueRule<T> rule) {
        ConfigNode node = members.get(key);
        return node == null ? null : rule.read(node, member(path, key), problems);
    }

    private Set<String> strings(String key, int longest, BiConsumer<String, String> check) {
        ConfigNode node = members.get(key);
        if (node == null) {
            return Set.of();
        }
        if (node instanceof ConfigNode.Elements elements) {
            return StringArray.read(elements, member(path, key), longest, check, problems);
        }
        String hint =
                node instanceof ConfigNode.Text text ? hint(key, text.value()) : " of strings";
        problems.add(member(path, key), node + " " + node.kind() + "; expected an array" + hint);
        return Set.of();
    }

    /** NNI's documentation allows a bare string where its schema does not; say what to write. */
    private static String hint(String key, String bare) {
        if (key.equals(EntryKey.QUANT_TYPES) && !QUANT_TYPE_KEYS.contains(bare)) {
            return " such as [\"weight\"]";
        }
        return bare.equals(NNI_DEFAULT) ? " such as [\"Conv2d\"]" : ": [" + quote(bare) + "]";
    }

    private boolean has(String key) {
        return members.containsKey(key);
    }
}
