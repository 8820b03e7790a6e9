package org.nni4j.export;

import ai.djl.ndarray.NDList;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Quantizer;
import org.nni4j.export.dynamic.DynamicEmission;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.OnnxVersion;
import org.nni4j.placement.PlannedLayer;
import org.nni4j.placement.QuantizationPlan;

/**
 * Writes a dynamically quantized model (algorithm {@code dynamic}) as an ONNX model whose weights
 * are int8 and whose activations ONNX Runtime quantizes as they come.
 *
 * <p>The model needs ONNX Runtime where it holds an LSTM: ONNX itself has no quantized one.
 */
public final class DynamicExporter {

    private static final String ALGORITHM = "dynamic";
    private static final String PROFILE = "profile";
    private static final String EXACT_PROFILE = "onnxruntime";

    private DynamicExporter() {}

    /**
     * Writes the model for any batch size. The quantizers are out of it meanwhile, and back
     * afterwards.
     *
     * @param quantizer of algorithm {@code dynamic} and profile {@code onnxruntime}, compressed
     * @param file the target; replaced if it exists
     * @param inputs dummy inputs, batch first; left as they are
     * @return what was written
     * @throws OnnxExportException if the network or its profile cannot be exported; the message
     *     lists every reason
     * @throws IllegalArgumentException if the quantizer is of another algorithm
     * @throws IllegalStateException if {@link Quantizer#compress()} was not called
     * @throws IOException if the file cannot be written
     */
    public static OnnxExport export(Quantizer quantizer, Path file, NDList inputs)
            throws IOException {
        return export(quantizer, OnnxExporter.builder().build(), file, inputs);
    }

    /**
     * Writes the model as an exporter's settings say.
     *
     * @param quantizer of algorithm {@code dynamic} and profile {@code onnxruntime}, compressed
     * @param exporter names inputs and outputs, and says whether any batch size is taken
     * @param file the target; replaced if it exists
     * @param inputs dummy inputs, batch first; left as they are
     * @return what was written
     * @throws OnnxExportException if the network or its profile cannot be exported; the message
     *     lists every reason
     * @throws IllegalArgumentException if the quantizer is of another algorithm
     * @throws IllegalStateException if {@link Quantizer#compress()} was not called
     * @throws IOException if the file cannot be written
     */
    public static OnnxExport export(
            Quantizer quantizer, OnnxExporter exporter, Path file, NDList inputs)
            throws IOException {
        check(quantizer.plan());
        CalibrationConfig calibration = quantizer.calibration();
        quantizer.restore();
        try {
            TracedNetwork network = exporter.trace(quantizer.model().getBlock(), inputs);
            return exporter.export(
                    network, file, new DynamicEmission(calibration), OnnxVersion.STANDARD);
        } finally {
            quantizer.compress();
        }
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
}
