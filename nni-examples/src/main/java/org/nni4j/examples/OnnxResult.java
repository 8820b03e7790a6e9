package org.nni4j.examples;

import java.util.Locale;
import java.util.Map;
import org.nni4j.export.ModelReport;
import org.nni4j.export.verification.Gains;

/**
 * The quantized network as an ONNX model.
 *
 * @param report what the export found
 * @param accuracy correct answers of the model in ONNX Runtime, in percent of the whole test set
 */
record OnnxResult(ModelReport report, double accuracy) {

    /** Adds its figures to a line of JSON. */
    void addTo(Map<String, Object> fields) {
        Gains gains = report.gains();
        fields.put("onnx_accuracy", accuracy);
        fields.put("onnx_verified", report.isVerified());
        fields.put("onnx_float_file_bytes", gains.floatBytes());
        fields.put("onnx_int8_file_bytes", gains.integerBytes());
        for (Gains.Batch batch : gains.batches()) {
            String key = "onnx_batch_" + batch.size();
            fields.put(key + "_float_ms", batch.floating());
            fields.put(key + "_int8_ms", batch.integer());
        }
    }

    /** Returns lines for people. */
    @Override
    public String toString() {
        return String.join(
                System.lineSeparator(),
                "",
                report.toString(),
                String.format(
                        Locale.ROOT,
                        "accuracy of the ONNX model in ONNX Runtime: %.2f %%",
                        accuracy));
    }
}
