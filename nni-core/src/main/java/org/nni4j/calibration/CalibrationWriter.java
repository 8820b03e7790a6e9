package org.nni4j.calibration;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import org.nni4j.config.QuantType;
import org.nni4j.quantization.QuantizationParameters;

/** Writes the JSON form of a calibration config. Keys are NNI's where it has one. */
final class CalibrationWriter {

    private CalibrationWriter() {}

    static String write(CalibrationConfig config) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.setIndent("  ");
            json.beginObject();
            json.name("format_version").value(CalibrationConfig.FORMAT_VERSION);
            json.name("algorithm").value(config.algorithm());
            json.name("step").value(config.step());
            if (!config.parametersHash().isEmpty()) {
                json.name("parameters_sha256").value(config.parametersHash());
            }
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
}
