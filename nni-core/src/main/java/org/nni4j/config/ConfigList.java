package org.nni4j.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the user asks for: entries that select layers and say how to quantize them. Immutable, and
 * always valid in itself; whether it fits a network shows when it is matched against one.
 *
 * <p>The JSON form, the map form and the Java form are the same thing: one checker, the same
 * messages, equal values.
 *
 * @param entries at least one; of those that select a layer, the last one decides alone
 */
public record ConfigList(List<ConfigEntry> entries) {

    private static final String ROOT = "config";
    private static final int MOST_ENTRIES = 1000;

    /** 1 MiB; the longest sensible list, a thousand named layers, needs a tenth of it. */
    private static final int MOST_BYTES = 1 << 20;

    private static final String TOO_LARGE = "larger than 1 MiB; expected at most 1 MiB of JSON";

    /**
     * Copies the entries.
     *
     * @throws ConfigException if there is none, or more than 1000
     */
    public ConfigList {
        entries = List.copyOf(entries);
        checkSize(entries.size());
    }

    /**
     * Puts entries together.
     *
     * @param entries at least one
     * @return the list
     * @throws ConfigException if there is none
     */
    public static ConfigList of(ConfigEntry... entries) {
        return new ConfigList(List.of(entries));
    }

    /**
     * Reads a list from JSON text.
     *
     * @param json an array of objects, at most 1 MiB
     * @return the list
     * @throws ConfigException with every problem of the list; or the first one, if the text is not
     *     JSON
     */
    public static ConfigList fromJson(String json) {
        if (json.length() > MOST_BYTES) {
            throw new ConfigException(ROOT, TOO_LARGE);
        }
        Problems problems = new Problems();
        return fromTree(JsonTree.read(json, problems), problems);
    }

    /**
     * Reads a list from a JSON file.
     *
     * @param file UTF-8, at most 1 MiB
     * @return the list
     * @throws ConfigException as for text, the message naming the file; also if the file cannot be
     *     read
     */
    public static ConfigList fromJson(Path file) {
        return fromUtf8(bytes(file), file.toString());
    }

    /** Reads a list from bytes; messages name their source. */
    static ConfigList fromUtf8(byte[] bytes, String source) {
        if (bytes.length > MOST_BYTES) {
            throw new ConfigException(source, TOO_LARGE);
        }
        try {
            CharBuffer json = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return fromJson(json.toString());
        } catch (CharacterCodingException e) {
            throw new ConfigException(source, "not valid UTF-8; expected JSON text in UTF-8");
        } catch (ConfigException e) {
            throw new ConfigException(source, e.problems());
        }
    }

    /**
     * Reads a list from maps, written as in JSON and in NNI's documentation.
     *
     * @param maps one for each entry; values are strings, numbers, booleans, maps, and collections
     *     or arrays
     * @return the list
     * @throws ConfigException with every problem of the list
     */
    public static ConfigList fromMaps(List<? extends Map<String, ?>> maps) {
        return fromTree(MapTree.read(maps, ROOT), new Problems());
    }

    /**
     * Returns the list as JSON that {@link #fromJson(String)} reads back to an equal list.
     *
     * @return one line for each key of each entry
     */
    public String toJson() {
        return JsonText.write(toMaps());
    }

    /**
     * Returns the list as maps that {@link #fromMaps} reads back to an equal list.
     *
     * @return one map for each entry
     */
    public List<Map<String, Object>> toMaps() {
        return entries.stream().map(ConfigEntry::toMap).toList();
    }

    private static ConfigList fromTree(ConfigNode root, Problems problems) {
        if (!(root instanceof ConfigNode.Elements elements)) {
            problems.add(ROOT, root + " " + root.kind() + "; expected an array of entries");
            throw problems.exception(null);
        }
        checkSize(elements.values().size());
        List<EntryReader> readers = new ArrayList<>();
        for (ConfigNode entry : elements.values()) {
            readers.add(
                    EntryReader.read(entry, MessageText.element(ROOT, readers.size()), problems));
        }
        problems.throwIfAny(null);
        return new ConfigList(readers.stream().map(EntryReader::entry).toList());
    }

    private static void checkSize(int size) {
        if (size == 0) {
            throw new ConfigException(ROOT, "the list is empty; expected at least one entry");
        }
        if (size > MOST_ENTRIES) {
            throw new ConfigException(ROOT, size + " entries; expected at most " + MOST_ENTRIES);
        }
    }

    private static byte[] bytes(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(MOST_BYTES + 1);
        } catch (NoSuchFileException e) {
            throw unreadable(file, "no such file; expected a JSON array of entries", e);
        } catch (IOException e) {
            throw unreadable(file, "cannot be read: " + e.getMessage(), e);
        }
    }

    private static ConfigException unreadable(Path file, String message, IOException cause) {
        ConfigException exception = new ConfigException(file.toString(), message);
        exception.initCause(cause);
        return exception;
    }
}
