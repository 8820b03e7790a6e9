package org.nni4j.config;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes maps as JSON, each key of an entry on a line of its own. */
final class JsonText {

    private JsonText() {}

    static String write(List<Map<String, Object>> entries) {
        return entries.stream()
                .map(JsonText::entry)
                .collect(Collectors.joining(",\n", "[\n", "\n]\n"));
    }

    private static String entry(Map<String, Object> entry) {
        return entry.entrySet().stream()
                .map(
                        member ->
                                "    "
                                        + compact(member.getKey())
                                        + ": "
                                        + compact(member.getValue()))
                .collect(Collectors.joining(",\n", "  {\n", "\n  }"));
    }

    private static String compact(Object value) {
        StringWriter text = new StringWriter();
        try (JsonWriter writer = new JsonWriter(text)) {
            writer.setFormattingStyle(FormattingStyle.COMPACT.withSpaceAfterSeparators(true));
            write(value, writer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static void write(Object value, JsonWriter writer) throws IOException {
        if (value instanceof Map<?, ?> map) {
            writer.beginObject();
            for (Map.Entry<?, ?> member : map.entrySet()) {
                writer.name((String) member.getKey());
                write(member.getValue(), writer);
            }
            writer.endObject();
        } else if (value instanceof List<?> list) {
            writer.beginArray();
            for (Object element : list) {
                write(element, writer);
            }
            writer.endArray();
        } else if (value instanceof Number number) {
            writer.value(number);
        } else if (value instanceof Boolean flag) {
            writer.value(flag);
        } else {
            writer.value((String) value);
        }
    }
}
