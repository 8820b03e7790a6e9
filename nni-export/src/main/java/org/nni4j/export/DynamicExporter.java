package org.nni4j.export;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Quantizer;
import org.nni4j.export.OnnxExporter.Draft;
import org.nni4j.export.dynamic.DynamicEmission;
import org.nni4j.export.onnx.OnnxVersion;
import org.nni4j.export.runtime.OnnxSession;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.runtime.SessionSettings;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * Writes a dynamically quantized model (algorithm {@code dynamic}) as an ONNX model whose weights
 * are int8 and whose activations ONNX Runtime quantizes as they come, and compares it with the one
 * in DJL.
 *
 * <p>The model needs ONNX Runtime where it holds an LSTM: ONNX itself has no quantized one.
 */
public final class DynamicExporter {

    static final String ALGORITHM = "dynamic";

    private static final String PROFILE = "profile";
    private static final String EXACT_PROFILE = "onnxruntime";

    private final OnnxExporter exporter;
    private final Quantizer quantizer;
    private final NDList samples;

    private DynamicExporter(OnnxExporter exporter, Quantizer quantizer, NDList samples) {
        this.exporter = exporter;
        this.quantizer = quantizer;
        this.samples = samples;
    }

    /**
     * Writes the model for any batch size, and compares it.
     *
     * @param quantizer of algorithm {@code dynamic} and profile {@code onnxruntime}, compressed
     * @param samples inputs to compare with, batch first; left as they are
     * @param file the target; replaced if it exists
     * @return what was written and found; print it
     * @throws OnnxExportException if the network or its profile cannot be exported, or the model
     *     does not compute what it does in DJL; then nothing is written
     * @throws IllegalArgumentException if the quantizer is of another algorithm
     * @throws IllegalStateException if {@link Quantizer#compress()} was not called
     * @throws IOException if the file cannot be written
     */
    public static DynamicReport export(Quantizer quantizer, NDList samples, Path file)
            throws IOException {
        return export(OnnxExporter.builder().build(), quantizer, samples, file);
    }

    /**
     * Writes the model as an exporter's settings say, and compares it.
     *
     * @param exporter names inputs and outputs, and says whether any batch size is taken
     * @param quantizer of algorithm {@code dynamic} and profile {@code onnxruntime}, compressed
     * @param samples inputs to compare with, batch first; left as they are
     * @param file the target; replaced if it exists
     * @return what was written and found; print it
     * @throws OnnxExportException if the network or its profile cannot be exported, or the model
     *     does not compute what it does in DJL; then nothing is written
     * @throws IllegalArgumentException if the quantizer is of another algorithm
     * @throws IllegalStateException if {@link Quantizer#compress()} was not called
     * @throws IOException if the file cannot be written
     */
    public static DynamicReport export(
            OnnxExporter exporter, Quantizer quantizer, NDList samples, Path file)
            throws IOException {
        check(quantizer.plan());
        return new DynamicExporter(exporter, quantizer, samples).write(file);
    }

    private static void check(QuantizationPlan plan) {
        if (!plan.algorithm().equals(ALGORITHM)) {
            throw new IllegalArgumentException(
                    "algorithm \"" + plan.algorithm() + "\"; expected \"" + ALGORITHM + "\"");
        }
        List<String> others =
                plan.quantizedLayers().stream()
                        .filter(layer -> !profile(layer).equals(EXACT_PROFILE))
                        .map(
                                layer ->
                                        "layer \""
                                                + layer.path()
                                                + "\": profile \""
                                                + profile(layer)
                                                + "\" has scales and zero points that ONNX"
                                                + " Runtime does not compute; expected \""
                                                + EXACT_PROFILE
                                                + "\"")
                        .toList();
        if (!others.isEmpty()) {
            throw new OnnxExportException(others);
        }
    }

    private static String profile(PlannedLayer layer) {
        Object profile = layer.points().get(0).settings().get(PROFILE);
        return profile == null ? EXACT_PROFILE : profile.toString();
    }

    private DynamicReport write(Path file) throws IOException {
        CalibrationConfig calibration = quantizer.calibration();
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("nni4j.algorithm", calibration.algorithm());
        metadata.put("nni4j.config", quantizer.config().toJson());
        Draft draft =
                quantizer
                        .inspect()
                        .onFloatNetwork(
                                block ->
                                        exporter.draft(
                                                exporter.trace(block, samples),
                                                new DynamicEmission(calibration),
                                                OnnxVersion.STANDARD,
                                                metadata));
        byte[] bytes = draft.bytes();
        DynamicReport report = compare(draft.as(file, bytes.length), inDjl(), inOnnxRuntime(bytes));
        if (!report.isVerified()) {
            throw new OnnxExportException(
                    List.of("the ONNX model does not compute what it does in DJL: " + report));
        }
        draft.write(file);
        return report;
    }

    private List<float[]> inDjl() {
        try (NDManager scope = samples.head().getManager().newSubManager()) {
            NDList inputs = new NDList();
            samples.forEach(
                    sample -> {
                        var view = sample.reshape(sample.getShape());
                        view.attach(scope);
                        inputs.add(view);
                    });
            List<float[]> outputs = new ArrayList<>();
            quantizer
                    .model()
                    .getBlock()
                    .forward(new ParameterStore(scope, false), inputs, false)
                    .forEach(output -> outputs.add(output.toFloatArray()));
            return outputs;
        }
    }

    private List<float[]> inOnnxRuntime(byte[] bytes) {
        try (OnnxSession session = OnnxSession.open(bytes, SessionSettings.exact())) {
            return session.run(samples.stream().map(RuntimeTensor::of).toList()).values().stream()
                    .map(RuntimeTensor::floats)
                    .toList();
        }
    }

    private static DynamicReport compare(
            OnnxExport export, List<float[]> expected, List<float[]> actual) {
        double min = Double.POSITIVE_INFINITY;
        double max = Double.NEGATIVE_INFINITY;
        for (float[] output : expected) {
            for (float value : output) {
                min = Math.min(min, value);
                max = Math.max(max, value);
            }
        }
        double lastBits = DynamicReport.LAST_BITS * Math.max(Math.abs(min), Math.abs(max));
        long values = 0;
        long differing = 0;
        double sum = 0;
        double largest = 0;
        for (int o = 0; o < expected.size(); o++) {
            for (int i = 0; i < expected.get(o).length; i++) {
                double distance = Math.abs((double) expected.get(o)[i] - actual.get(o)[i]);
                values++;
                differing += distance <= lastBits ? 0 : 1;
                sum += distance;
                largest = Double.isNaN(distance) ? Double.NaN : Math.max(largest, distance);
            }
        }
        return new DynamicReport(
                export, values, differing, sum / Math.max(1, values), largest, max - min);
    }
}
