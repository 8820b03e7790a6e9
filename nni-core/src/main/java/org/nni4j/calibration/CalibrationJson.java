package org.nni4j.calibration;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** The JSON form of a calibration config. Keys are NNI's where it has one. */
final class CalibrationJson {

    private CalibrationJson() {}

    static String write(CalibrationConfig config) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.setIndent("  ");
            json.beginObject();
            json.name("format_version").value(CalibrationConfig.FORMAT_VERSION);
            json.name("algorithm").value(config.algorithm());
            json.name("step").value(config.step());
            json.name("layers").beginObject();
            for (CalibratedLayer layer : config.layers()) {
                json.name(layer.path()).beginObject();
                json.name("type").value(layer.type());
                if (!layer.foldedBatchNorm().isEmpty()) {
                    json.name("folded_batch_norm").value(layer.foldedBatchNorm());
                }
                json.name("tensors").beginArray();
                for (CalibratedTensor tensor : layer.tensors()) {
                    write(json, tensor);
                }
                json.endArray();
                if (!layer.unobserved().isEmpty()) {
                    json.name("unobserved").beginArray();
                    for (QuantType type : layer.unobserved()) {
                        json.value(type.key());
                    }
                    json.endArray();
                }
                json.endObject();
            }
            json.endObject().endObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text + "\n";
    }

    private static void write(JsonWriter json, CalibratedTensor tensor) throws IOException {
        String type = tensor.quantType().key();
        TensorCalibration c = tensor.calibration();
        json.beginObject();
        json.name("quant_type").value(type);
        json.name("tensor").value(tensor.tensor());
        json.name(type + "_bits").value(c.type().bits());
        json.name(type + "_dtype").value(c.type().dtype().key());
        json.name(type + "_scheme").value(c.scheme().key());
        if (c.parameters().axis() != QuantizationParameters.PER_TENSOR) {
            json.name(type + "_axis").value(c.parameters().axis());
        }
        write(json.name(type + "_scale"), c.parameters().scale());
        json.name(type + "_zero_point").beginArray();
        for (int z : c.parameters().zeroPoint()) {
            json.value(z);
        }
        json.endArray();
        float[] min = c.min();
        float[] max = c.max();
        if (min != null && max != null) {
            write(json.name("tracked_min_" + type), min);
            write(json.name("tracked_max_" + type), max);
        }
        json.endObject();
    }

    private static void write(JsonWriter json, float[] values) throws IOException {
        json.beginArray();
        for (float value : values) {
            json.value(value);
        }
        json.endArray();
    }

    static CalibrationConfig read(Path file) throws IOException {
        return read(Files.readString(file));
    }

    static CalibrationConfig read(String text) {
        JsonObject root = JsonParser.parseString(text).getAsJsonObject();
        List<CalibratedLayer> layers = new ArrayList<>();
        for (Map.Entry<String, JsonElement> e : root.getAsJsonObject("layers").entrySet()) {
            JsonObject layer = e.getValue().getAsJsonObject();
            List<CalibratedTensor> tensors = new ArrayList<>();
            for (JsonElement tensor : layer.getAsJsonArray("tensors")) {
                tensors.add(tensor(tensor.getAsJsonObject()));
            }
            layers.add(
                    new CalibratedLayer(
                            e.getKey(),
                            layer.get("type").getAsString(),
                            layer.has("folded_batch_norm")
                                    ? layer.get("folded_batch_norm").getAsString()
                                    : "",
                            tensors,
                            unobserved(layer)));
        }
        return new CalibrationConfig(
                root.get("algorithm").getAsString(), root.get("step").getAsLong(), layers);
    }

    private static Set<QuantType> unobserved(JsonObject layer) {
        Set<QuantType> types = EnumSet.noneOf(QuantType.class);
        if (layer.has("unobserved")) {
            layer.getAsJsonArray("unobserved")
                    .forEach(
                            t ->
                                    types.add(
                                            QuantType.valueOf(
                                                    t.getAsString().toUpperCase(Locale.ROOT))));
        }
        return types;
    }

    private static CalibratedTensor tensor(JsonObject json) {
        String key = json.get("quant_type").getAsString();
        QuantType type = QuantType.valueOf(key.toUpperCase(Locale.ROOT));
        QuantizedType number =
                new QuantizedType(
                        json.get(key + "_bits").getAsInt(),
                        json.get(key + "_dtype").getAsString().equals("int")
                                ? QuantizationDtype.INT
                                : QuantizationDtype.UINT);
        QuantizationScheme scheme =
                QuantizationScheme.valueOf(
                        json.get(key + "_scheme").getAsString().toUpperCase(Locale.ROOT));
        int axis =
                json.has(key + "_axis")
                        ? json.get(key + "_axis").getAsInt()
                        : QuantizationParameters.PER_TENSOR;
        float[] scale = floats(json.getAsJsonArray(key + "_scale"));
        float[] zeroPoint = floats(json.getAsJsonArray(key + "_zero_point"));
        int[] z = new int[zeroPoint.length];
        for (int i = 0; i < z.length; i++) {
            z[i] = (int) zeroPoint[i];
        }
        return new CalibratedTensor(
                type,
                json.get("tensor").getAsString(),
                new TensorCalibration(
                        number,
                        scheme,
                        new QuantizationParameters(scale, z, axis),
                        optional(json, "tracked_min_" + key),
                        optional(json, "tracked_max_" + key)));
    }

    private static float @Nullable [] optional(JsonObject json, String key) {
        return json.has(key) ? floats(json.getAsJsonArray(key)) : null;
    }

    private static float[] floats(JsonArray array) {
        float[] result = new float[array.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = array.get(i).getAsFloat();
        }
        return result;
    }
}
