package org.nni4j.config;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads JSON text into nodes, token by token.
 *
 * <p>Binding to classes would be shorter, but it overlooks duplicate keys, turns strings into
 * numbers and accepts data after the end.
 */
final class JsonTree {

    /** Gson ends its messages with the place, its own path and a link. */
    private static final Pattern GSON_MESSAGE =
            Pattern.compile("(.*?) at line (\\d+) column (\\d+) path .*", Pattern.DOTALL);

    private final JsonReader reader;

    /**
     * What is read.
     *
     * @param root how paths begin
     * @param expected what the whole text is, with its article
     * @param mostValues how many values it may hold, all levels together
     */
    record Kind(String root, String expected, int mostValues) {

        static final Kind CONFIG_LIST =
                new Kind("config", "a JSON array of entries", TreeBudget.MOST_VALUES);
    }

    private final Kind kind;
    private final Problems problems;
    private final TreeBudget budget;

    /** Where the reader stands. */
    private String place;

    private JsonTree(String json, Kind kind, Problems problems) {
        this.kind = kind;
        this.budget = new TreeBudget(kind.root(), kind.mostValues());
        this.place = kind.root();
        this.reader = new JsonReader(new StringReader(json));
        this.reader.setStrictness(Strictness.STRICT);
        this.problems = problems;
    }

    /**
     * Reads a whole config list.
     *
     * @param json the text, of bounded length
     * @param problems takes the duplicate keys
     * @throws ConfigException if the text is not JSON or too large
     */
    static ConfigNode read(String json, Problems problems) {
        return read(json, Kind.CONFIG_LIST, problems);
    }

    /** Reads a whole text of another kind. */
    static ConfigNode read(String json, Kind kind, Problems problems) {
        if (json.isBlank()) {
            throw new ConfigException(
                    kind.root(), "the text is empty; expected " + kind.expected());
        }
        JsonTree tree = new JsonTree(json, kind, problems);
        try {
            ConfigNode root = tree.value(kind.root(), 1);
            tree.end();
            return root;
        } catch (IOException e) {
            throw tree.malformed(e);
        }
    }

    private void end() throws IOException {
        place = kind.root();
        boolean ended;
        try {
            ended = reader.peek() == JsonToken.END_DOCUMENT;
        } catch (IOException e) {
            ended = false;
        }
        if (!ended) {
            String what = kind.equals(Kind.CONFIG_LIST) ? " of the list" : "";
            throw new ConfigException(
                    kind.root(), "data after the end" + what + "; expected nothing");
        }
    }

    private ConfigNode value(String path, int depth) throws IOException {
        place = path;
        budget.enter(path, depth);
        return switch (reader.peek()) {
            case BEGIN_OBJECT -> members(path, depth);
            case BEGIN_ARRAY -> elements(path, depth);
            case STRING -> new ConfigNode.Text(TreeBudget.text(reader.nextString(), path));
            case NUMBER -> TreeBudget.number(reader.nextString(), path);
            case BOOLEAN -> new ConfigNode.Flag(reader.nextBoolean());
            case NULL -> nothing();
            default -> throw new ConfigException(path, "not valid JSON: no value here");
        };
    }

    private ConfigNode nothing() throws IOException {
        reader.nextNull();
        return new ConfigNode.Foreign("null");
    }

    private ConfigNode members(String path, int depth) throws IOException {
        Map<String, ConfigNode> members = new LinkedHashMap<>();
        reader.beginObject();
        while (reader.hasNext()) {
            String key = TreeBudget.text(reader.nextName(), path);
            String member = MessageText.member(path, key);
            ConfigNode value = value(member, depth + 1);
            if (members.putIfAbsent(key, value) != null) {
                problems.add(
                        member,
                        "the key is given twice, again with " + value + "; expected each key once");
            }
            place = path;
        }
        reader.endObject();
        return new ConfigNode.Members(members);
    }

    private ConfigNode elements(String path, int depth) throws IOException {
        List<ConfigNode> elements = new ArrayList<>();
        reader.beginArray();
        while (reader.hasNext()) {
            elements.add(value(MessageText.element(path, elements.size()), depth + 1));
            place = path;
        }
        reader.endArray();
        return new ConfigNode.Elements(elements);
    }

    private ConfigException malformed(IOException e) {
        Matcher message = GSON_MESSAGE.matcher(String.valueOf(e.getMessage()));
        if (!message.matches()) {
            return new ConfigException(place, "not valid JSON");
        }
        String reason = message.group(1);
        // Gson advises its own API's users here.
        String detail =
                reason.startsWith("Use JsonReader")
                        ? ": unexpected text"
                        : ": "
                                + reason.substring(0, 1).toLowerCase(Locale.ROOT)
                                + reason.substring(1);
        return new ConfigException(
                place,
                "not valid JSON at line "
                        + message.group(2)
                        + " column "
                        + message.group(3)
                        + detail);
    }
}
