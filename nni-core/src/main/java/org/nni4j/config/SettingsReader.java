package org.nni4j.config;

import static org.nni4j.config.MessageText.member;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the settings of an entry: known keys from the entry itself, free ones from its {@code
 * settings} object.
 */
final class SettingsReader {

    private static final int LONGEST_TEXT = 1000;

    private final Problems problems;
    private final Map<String, Object> settings = new LinkedHashMap<>();

    SettingsReader(Problems problems) {
        this.problems = problems;
    }

    Map<String, Object> settings() {
        return settings;
    }

    void readKnown(SettingKey key, ConfigNode node, String path) {
        put(key.key(), key.read(node, path, problems));
    }

    void readFree(ConfigNode node, String path) {
        if (!(node instanceof ConfigNode.Members members)) {
            problems.add(path, node + " " + node.kind() + "; expected an object of settings");
            return;
        }
        if (members.values().isEmpty()) {
            problems.add(path, "{} is empty; expected at least one setting");
        }
        members.values()
                .forEach(
                        (key, value) -> {
                            String place = member(path, key);
                            if (key.isBlank()) {
                                problems.add(place, "the key is blank; expected a name");
                            } else if (EntryKey.ALL.contains(key)) {
                                String home = "belongs in the entry itself, not in its settings";
                                problems.add(place, "\"" + key + "\" " + home);
                            } else {
                                put(key, scalar(value, place));
                            }
                        });
    }

    /**
     * Converts a value to the type the reader would give it, or leaves it for the reader to refuse.
     */
    static Object canonical(String key, Object value) {
        Problems ignored = new Problems();
        ConfigNode node = MapTree.read(value, key);
        Optional<SettingKey> known = SettingKey.find(key);
        Object read =
                known.isPresent()
                        ? known.get().read(node, key, ignored)
                        : new SettingsReader(ignored).scalar(node, key);
        return read == null ? value : read;
    }

    private void put(String key, @Nullable Object value) {
        if (value != null) {
            settings.put(key, value);
        }
    }

    private @Nullable Object scalar(ConfigNode node, String path) {
        if (node instanceof ConfigNode.Flag flag) {
            return flag.value();
        }
        if (node instanceof ConfigNode.Text text) {
            if (text.value().length() <= LONGEST_TEXT) {
                return text.value();
            }
            String what = "a string of " + text.value().length() + " characters";
            problems.add(path, what + "; expected at most " + LONGEST_TEXT);
            return null;
        }
        if (node instanceof ConfigNode.Literal literal) {
            return number(literal, path);
        }
        problems.add(path, node + " " + node.kind() + "; expected a string, number or boolean");
        return null;
    }

    private @Nullable Object number(ConfigNode.Literal literal, String path) {
        if (!literal.isPlainInteger()) {
            double value = literal.approximate();
            if (Double.isFinite(value)) {
                return value;
            }
            problems.add(path, literal + " is not a finite double; expected one");
            return null;
        }
        try {
            long value = Long.parseLong(literal.value());
            return value == (int) value ? (Object) (int) value : (Object) value;
        } catch (NumberFormatException e) {
            problems.add(
                    path, literal + " is too large; expected a whole number of at most 64 bits");
            return null;
        }
    }
}
