package org.nni4j.algorithms.dynamic;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** What other implementations gave; its first line says which. */
final class Golden {

    private static final JsonObject ROOT = read();

    private Golden() {}

    private static JsonObject read() {
        try (InputStream in =
                Objects.requireNonNull(Golden.class.getResourceAsStream("/golden/dynamic.json"))) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .getAsJsonObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An element by the keys that lead to it, joined by slashes. */
    static JsonElement at(String path) {
        JsonElement element = ROOT;
        for (String key : path.split("/", -1)) {
            element = Objects.requireNonNull(element.getAsJsonObject().get(key), path);
        }
        return element;
    }

    static float[] floats(String path) {
        return floats(at(path));
    }

    static float[] floats(JsonElement element) {
        float[] values = new float[element.getAsJsonArray().size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = element.getAsJsonArray().get(i).getAsFloat();
        }
        return values;
    }

    /** The pattern {@code ((i · times) % modulo - minus) / over}, computed in double as there. */
    static float[] pattern(int times, int modulo, int minus, int over, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) ((i * times % modulo - minus) / (double) over);
        }
        return values;
    }
}
