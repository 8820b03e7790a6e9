package org.nni4j.examples;

import com.google.gson.Gson;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What came out.
 *
 * @param data where the pictures came from
 * @param network the network's name
 * @param algorithm the quantization algorithm
 * @param config the config list's file
 * @param seed the run's seed
 * @param floatEpochs epochs trained in float, 0 if the float network was loaded
 * @param epochs epochs trained quantized
 * @param floatAccuracy correct answers of the float network in percent
 * @param quantizedAccuracy correct answers of the quantized network in percent
 * @param floatBytes size of the float parameters
 * @param quantizedBytes size of the parameters once quantized weights are packed
 * @param seconds wall-clock time of the whole run
 * @param onnx the quantized network as an ONNX model; empty if it did not become one
 */
record Report(
        String data,
        String network,
        String algorithm,
        String config,
        int seed,
        int floatEpochs,
        int epochs,
        double floatAccuracy,
        double quantizedAccuracy,
        long floatBytes,
        long quantizedBytes,
        double seconds,
        Optional<OnnxResult> onnx) {

    /**
     * Returns the accuracy lost by quantization, in percentage points; negative if some was won.
     */
    double dropPoints() {
        return floatAccuracy - quantizedAccuracy;
    }

    /** Returns the same with what became of it as an ONNX model. */
    Report with(OnnxResult result, double wholeSeconds) {
        return new Report(
                data,
                network,
                algorithm,
                config,
                seed,
                floatEpochs,
                epochs,
                floatAccuracy,
                quantizedAccuracy,
                floatBytes,
                quantizedBytes,
                wholeSeconds,
                Optional.of(result));
    }

    /** Returns one line of JSON. */
    String toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("data", data);
        fields.put("network", network);
        fields.put("algorithm", algorithm);
        fields.put("config", config);
        fields.put("seed", seed);
        fields.put("float_epochs", floatEpochs);
        fields.put("epochs", epochs);
        fields.put("float_accuracy", rounded(floatAccuracy, 1e4));
        fields.put("quantized_accuracy", rounded(quantizedAccuracy, 1e4));
        fields.put("drop_points", rounded(dropPoints(), 1e4));
        fields.put("float_bytes", floatBytes);
        fields.put("quantized_bytes", quantizedBytes);
        fields.put("seconds", rounded(seconds, 10));
        onnx.ifPresent(result -> result.addTo(fields));
        return new Gson().toJson(fields);
    }

    private static double rounded(double value, double parts) {
        return Math.rint(value * parts) / parts;
    }

    /** Returns a table for people. */
    String toTable() {
        return String.join(
                System.lineSeparator(),
                String.format("%s on %s", network, data),
                String.format("%s, %s, seed %d", algorithm, config, seed),
                String.format("%d epochs in float, %d quantized", floatEpochs, epochs),
                "",
                String.format("%12s %14s %14s", "", "float", "quantized"),
                row("accuracy", percent(floatAccuracy), percent(quantizedAccuracy)),
                row("drop", "", String.format(Locale.ROOT, "%.2f points", dropPoints())),
                row("bytes", bytes(floatBytes), bytes(quantizedBytes)),
                row("seconds", "", String.format(Locale.ROOT, "%.1f", seconds)),
                onnx.map(OnnxResult::toString).orElse(""));
    }

    private static String row(String name, String left, String right) {
        return String.format("%-12s %14s %14s", name, left, right);
    }

    private static String percent(double value) {
        return String.format(Locale.ROOT, "%.2f %%", value);
    }

    private static String bytes(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }
}
