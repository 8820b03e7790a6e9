package org.nni4j.config;

import com.google.common.primitives.Floats;
import com.google.common.primitives.Ints;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Reads a JSON object strictly, for formats of our own other than the config list: each key once,
 * no unknown ones, each value of its type, and every problem reported together with its path.
 *
 * <p>A method that finds something wrong notes the problem and returns nothing; {@link #throwIfAny}
 * ends the reading.
 */
public final class JsonObjectReader {

    private final String path;
    private final Map<String, ConfigNode> members;
    private final Problems problems;
    private final TreeSet<String> known = new TreeSet<>();

    private JsonObjectReader(String path, Map<String, ConfigNode> members, Problems problems) {
        this.path = path;
        this.members = members;
        this.problems = problems;
    }

    /**
     * Reads a text.
     *
     * @param json the text, of bounded length
     * @param root how paths begin
     * @param mostValues how many values it may hold, all levels together
     * @return the object
     * @throws ConfigException if the text is not JSON, not an object, or too large
     */
    public static JsonObjectReader of(String json, String root, int mostValues) {
        Problems problems = new Problems();
        JsonTree.Kind kind = new JsonTree.Kind(root, "a JSON object", mostValues);
        ConfigNode node = JsonTree.read(json, kind, problems);
        if (node instanceof ConfigNode.Members object) {
            return new JsonObjectReader(root, object.values(), problems);
        }
        throw new ConfigException(root, node + " " + node.kind() + "; expected an object");
    }

    /**
     * Reads a file's text.
     *
     * @param file UTF-8
     * @param mostBytes the most bytes it may have
     * @return the text
     * @throws IOException if the file cannot be read
     * @throws ConfigException if it is too large, or not UTF-8
     */
    public static String text(Path file, int mostBytes) throws IOException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(mostBytes + 1);
        }
        if (bytes.length > mostBytes) {
            throw new ConfigException(
                    file.toString(), "larger than " + mostBytes + " bytes; expected at most that");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new ConfigException(
                    file.toString(), "not valid UTF-8; expected JSON text in UTF-8");
        }
    }

    /**
     * Returns where the object stands.
     *
     * @return for instance {@code calibration.layers["01Conv2d"]}
     */
    public String path() {
        return path;
    }

    /**
     * Tells whether a key is there, which may also be absent.
     *
     * @param key the key; not unknown from now on
     * @return whether the object has it
     */
    public boolean has(String key) {
        known.add(key);
        return members.containsKey(key);
    }

    /**
     * Reads a string that must be there.
     *
     * @param key its key
     * @return empty if it is missing or no string
     */
    public Optional<String> string(String key) {
        return member(key, "a string").flatMap(node -> string(node, at(key)));
    }

    private Optional<String> string(ConfigNode node, String place) {
        if (node instanceof ConfigNode.Text text) {
            return Optional.of(text.value());
        }
        return wrong(place, node, "a string");
    }

    /**
     * Reads a whole number that must be there.
     *
     * @param key its key
     * @param min the smallest allowed
     * @param max the largest allowed
     * @return empty if it is missing or anything else
     */
    public Optional<Integer> whole(String key, int min, int max) {
        ValueRule<Integer> rule = ValueRule.whole(min, max, "");
        return member(key, "a whole number " + rule.expected())
                .flatMap(node -> Optional.ofNullable(rule.read(node, at(key), problems)));
    }

    /**
     * Reads one of a few words that must be there.
     *
     * @param key its key
     * @param noun what the word is
     * @param values what the words stand for
     * @param word gives the word of a value
     * @return empty if it is missing or anything else
     * @param <T> what the words stand for
     */
    public <T> Optional<T> choice(String key, String noun, T[] values, Function<T, String> word) {
        ValueRule<T> rule = ValueRule.choice(noun, values, word);
        return member(key, rule.expected())
                .flatMap(node -> Optional.ofNullable(rule.read(node, at(key), problems)));
    }

    /**
     * Reads an array of words that must be there.
     *
     * @param key its key
     * @param noun what a word is
     * @param values what the words stand for
     * @param word gives the word of a value
     * @return those that are right
     * @param <T> what the words stand for
     */
    public <T> List<T> choices(String key, String noun, T[] values, Function<T, String> word) {
        ValueRule<T> rule = ValueRule.choice(noun, values, word);
        List<T> read = new ArrayList<>();
        forEach(
                key,
                (node, place) ->
                        Optional.ofNullable(rule.read(node, place, problems)).ifPresent(read::add));
        return read;
    }

    /**
     * Reads an array of finite numbers that must be there.
     *
     * @param key its key
     * @return float32; empty if it is missing or not all are finite numbers
     */
    public Optional<float[]> floats(String key) {
        List<Float> read = new ArrayList<>();
        boolean complete =
                forEach(
                        key,
                        (node, place) -> {
                            if (node instanceof ConfigNode.Literal number
                                    && Float.isFinite((float) number.approximate())) {
                                read.add(Float.parseFloat(number.value()));
                            } else {
                                wrong(place, node, "a finite number");
                            }
                        });
        return complete ? Optional.of(Floats.toArray(read)) : Optional.empty();
    }

    /**
     * Reads an array of whole numbers that must be there.
     *
     * @param key its key
     * @param min the smallest allowed
     * @param max the largest allowed
     * @return empty if it is missing or not all are right
     */
    public Optional<int[]> wholes(String key, int min, int max) {
        ValueRule<Integer> rule = ValueRule.whole(min, max, "");
        List<Integer> read = new ArrayList<>();
        boolean complete =
                forEach(
                        key,
                        (node, place) ->
                                Optional.ofNullable(rule.read(node, place, problems))
                                        .ifPresent(read::add));
        return complete ? Optional.of(Ints.toArray(read)) : Optional.empty();
    }

    /**
     * Reads an object of objects that must be there.
     *
     * @param key its key
     * @return by key, in the file's order
     */
    public Map<String, JsonObjectReader> objectsByKey(String key) {
        Map<String, JsonObjectReader> read = new LinkedHashMap<>();
        member(key, "an object")
                .ifPresent(
                        node -> {
                            if (node instanceof ConfigNode.Members object) {
                                object.values()
                                        .forEach(
                                                (k, value) ->
                                                        object(
                                                                        value,
                                                                        MessageText.member(
                                                                                at(key), k))
                                                                .ifPresent(o -> read.put(k, o)));
                            } else {
                                wrong(at(key), node, "an object");
                            }
                        });
        return read;
    }

    /**
     * Reads an array of objects that must be there.
     *
     * @param key its key
     * @return those that are objects
     */
    public List<JsonObjectReader> objects(String key) {
        List<JsonObjectReader> read = new ArrayList<>();
        forEach(key, (node, place) -> object(node, place).ifPresent(read::add));
        return read;
    }

    private Optional<JsonObjectReader> object(ConfigNode node, String place) {
        if (node instanceof ConfigNode.Members object) {
            return Optional.of(new JsonObjectReader(place, object.values(), problems));
        }
        return wrong(place, node, "an object");
    }

    @FunctionalInterface
    private interface ElementReader {
        void read(ConfigNode node, String place);
    }

    /** Tells whether the array is there and none of its elements was wrong. */
    private boolean forEach(String key, ElementReader reader) {
        Optional<ConfigNode> node = member(key, "an array");
        if (node.isEmpty()) {
            return false;
        }
        if (!(node.get() instanceof ConfigNode.Elements elements)) {
            wrong(at(key), node.get(), "an array");
            return false;
        }
        int before = problems.count();
        for (int i = 0; i < elements.values().size(); i++) {
            reader.read(elements.values().get(i), MessageText.element(at(key), i));
        }
        return problems.count() == before;
    }

    private Optional<ConfigNode> member(String key, String expected) {
        if (!has(key)) {
            problem(key, "is missing; expected " + expected);
        }
        return Optional.ofNullable(members.get(key));
    }

    private <T> Optional<T> wrong(String place, ConfigNode node, String expected) {
        problems.add(place, node + " " + node.kind() + "; expected " + expected);
        return Optional.empty();
    }

    private String at(String key) {
        return MessageText.member(path, key);
    }

    /**
     * Notes a problem of one member.
     *
     * @param key its key
     * @param message the offending value and what is allowed
     */
    public void problem(String key, String message) {
        problems.add(at(key), message);
    }

    /**
     * Notes a problem of the whole object.
     *
     * @param message the offending value and what is allowed
     */
    public void problem(String message) {
        problems.add(path, message);
    }

    /** Notes each key that was not asked for. To be called when all were. */
    public void refuseOthers() {
        for (String key : members.keySet()) {
            if (!known.contains(key)) {
                String question = Suggestion.of(key, known).question();
                problem(
                        key,
                        "unknown key "
                                + MessageText.quote(key)
                                + question
                                + "; valid keys: "
                                + known);
            }
        }
    }

    /**
     * Ends the reading.
     *
     * @throws ConfigException if anything was wrong
     */
    public void throwIfAny() {
        problems.throwIfAny(path);
    }
}
