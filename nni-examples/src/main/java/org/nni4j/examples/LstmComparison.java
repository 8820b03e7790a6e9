package org.nni4j.examples;

import com.google.gson.Gson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nni4j.export.runtime.Timing;

/**
 * An LSTM in float and in int8.
 *
 * @param dimension features of input and state
 * @param length steps of the sequence
 * @param threads of each runtime
 * @param seed of weights and input
 * @param floatBytes size of the float ONNX model
 * @param int8Bytes size of the int8 ONNX model
 * @param floatTime the float model in ONNX Runtime
 * @param int8Time the int8 model in ONNX Runtime
 * @param djlTime the float model in DJL
 * @param floatOutputs of the float model
 * @param int8Outputs of the int8 model
 * @param djlOutputs of the quantized model in DJL
 */
record LstmComparison(
        int dimension,
        int length,
        int threads,
        int seed,
        long floatBytes,
        long int8Bytes,
        Timing floatTime,
        Timing int8Time,
        Timing djlTime,
        float[] floatOutputs,
        float[] int8Outputs,
        float[] djlOutputs) {

    double sizeRatio() {
        return (double) floatBytes / int8Bytes;
    }

    /** How many times faster int8 is than float; below 1 it is slower. */
    double speedup() {
        return floatTime.median() / int8Time.median();
    }

    double speedupOverDjl() {
        return djlTime.median() / int8Time.median();
    }

    double meanFloat() {
        return meanMagnitude(floatOutputs);
    }

    double meanInt8() {
        return meanMagnitude(int8Outputs);
    }

    double meanDifference() {
        double sum = 0;
        for (int i = 0; i < floatOutputs.length; i++) {
            sum += Math.abs(floatOutputs[i] - int8Outputs[i]);
        }
        return sum / floatOutputs.length;
    }

    double differencePercent() {
        return 100 * meanDifference() / meanFloat();
    }

    /** The largest difference between the model in ONNX Runtime and in DJL, both quantized. */
    double largestDifferenceFromDjl() {
        double largest = 0;
        for (int i = 0; i < djlOutputs.length; i++) {
            largest = Math.max(largest, Math.abs(djlOutputs[i] - int8Outputs[i]));
        }
        return largest;
    }

    private static double meanMagnitude(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += Math.abs(value);
        }
        return sum / values.length;
    }

    /** Returns one line of JSON; times in milliseconds. */
    String toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("dimension", dimension);
        fields.put("length", length);
        fields.put("threads", threads);
        fields.put("seed", seed);
        fields.put("float_bytes", floatBytes);
        fields.put("int8_bytes", int8Bytes);
        fields.put("size_ratio", rounded(sizeRatio()));
        fields.put("float_ms", rounded(floatTime.median()));
        fields.put("int8_ms", rounded(int8Time.median()));
        fields.put("djl_float_ms", rounded(djlTime.median()));
        fields.put("float_best_ms", rounded(floatTime.best()));
        fields.put("int8_best_ms", rounded(int8Time.best()));
        fields.put("djl_float_best_ms", rounded(djlTime.best()));
        fields.put("runs", floatTime.runs());
        fields.put("speedup", rounded(speedup()));
        fields.put("speedup_over_djl", rounded(speedupOverDjl()));
        fields.put("mean_float", rounded(meanFloat()));
        fields.put("mean_int8", rounded(meanInt8()));
        fields.put("mean_difference", rounded(meanDifference()));
        fields.put("difference_percent", rounded(differencePercent()));
        fields.put("largest_difference_from_djl", largestDifferenceFromDjl());
        return new Gson().toJson(fields);
    }

    private static double rounded(double value) {
        return Math.rint(value * 1e5) / 1e5;
    }

    /** Returns a table for people. */
    static String table(List<LstmComparison> rows) {
        StringBuilder text = new StringBuilder();
        LstmComparison first = rows.get(0);
        text.append(
                String.format(
                        Locale.ROOT,
                        "LSTM, sequence of %d, batch 1, %d threads, seed %d; median of %d runs and"
                                + " more%n%n",
                        first.length,
                        first.threads,
                        first.seed,
                        rows.stream().mapToInt(r -> r.floatTime.runs()).min().orElse(0)));
        text.append(
                String.format(
                        "%9s %12s %12s %6s %10s %10s %8s %10s %8s%n",
                        "dimension",
                        "float bytes",
                        "int8 bytes",
                        "ratio",
                        "float ms",
                        "int8 ms",
                        "speed-up",
                        "DJL ms",
                        "speed-up"));
        for (LstmComparison r : rows) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%9d %,12d %,12d %5.2fx %10.3f %10.3f %7.2fx %10.3f %7.2fx%n",
                            r.dimension,
                            r.floatBytes,
                            r.int8Bytes,
                            r.sizeRatio(),
                            r.floatTime.median(),
                            r.int8Time.median(),
                            r.speedup(),
                            r.djlTime.median(),
                            r.speedupOverDjl()));
        }
        text.append(
                String.format(
                        "%n%9s %13s %13s %18s %10s %22s%n",
                        "dimension",
                        "mean |float|",
                        "mean |int8|",
                        "mean |difference|",
                        "percent",
                        "largest |int8 - DJL|"));
        for (LstmComparison r : rows) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%9d %13.5f %13.5f %18.5f %9.2f%% %22.1e%n",
                            r.dimension,
                            r.meanFloat(),
                            r.meanInt8(),
                            r.meanDifference(),
                            r.differencePercent(),
                            r.largestDifferenceFromDjl()));
        }
        return text.toString().stripTrailing();
    }
}
