package org.nni4j.export;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Inspection;
import org.nni4j.compression.Quantizer;
import org.nni4j.export.OnnxExporter.Draft;
import org.nni4j.export.dynamic.DynamicEmission;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.OnnxFile;
import org.nni4j.export.onnx.OnnxVersion;
import org.nni4j.export.operator.EmissionHooks;
import org.nni4j.export.runtime.OnnxSession;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.runtime.SessionSettings;
import org.nni4j.export.verification.GainMeter;
import org.nni4j.export.verification.Gains;
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
     * Writes the model for any batch size, compares it, and measures it as {@link OnnxExporter}
     * does by default.
     *
     * @param quantizer of algorithm {@code dynamic} and profile {@code onnxruntime}, compressed
     * @param samples inputs to compare with, batch first; left as they are
     * @param file the target; replaced if it exists
     * @return what was written and found; print it
     * @throws OnnxExportException if the network or its profile cannot be exported, or the model
     *     does not compute what it does in DJL; then nothing is written
     * @throws IllegalArgumentException if the quantizer is of another algorithm, or there are no
     *     samples
     * @throws IllegalStateException if {@link Quantizer#compress()} was not called
     * @throws IOException if the file cannot be written
     */
    public static DynamicReport export(Quantizer quantizer, NDList samples, Path file)
            throws IOException {
        return export(OnnxExporter.builder().build(), quantizer, samples, file);
    }

    /**
     * Writes the model as an exporter's settings say, compares it, and measures it. The exporter's
     * limits do not apply: the comparison knows how far outputs can be apart.
     *
     * @param exporter names inputs and outputs, and says whether any batch size is taken, what is
     *     timed with how many threads, and whether an unverified model is written
     * @param quantizer of algorithm {@code dynamic} and profile {@code onnxruntime}, compressed
     * @param samples inputs to compare with, batch first; left as they are
     * @param file the target; replaced if it exists
     * @return what was written and found; print it
     * @throws OnnxExportException if the network or its profile cannot be exported, or the model
     *     does not compute what it does in DJL, unless {@link OnnxExporter.Builder#optUnverified}
     *     allows that; then nothing is written
     * @throws IllegalArgumentException if the quantizer is of another algorithm, there are no
     *     samples, or the exporter is to write weights of four or seven bits
     * @throws IllegalStateException if {@link Quantizer#compress()} was not called
     * @throws IOException if the file cannot be written
     */
    public static DynamicReport export(
            OnnxExporter exporter, Quantizer quantizer, NDList samples, Path file)
            throws IOException {
        check(quantizer.plan());
        check(samples);
        OnnxFile.checkTarget(file);
        refuse("optFourBitWeights", exporter.settings().fourBitWeights());
        refuse("optSevenBitWeights", exporter.settings().sevenBitWeights());
        return new DynamicExporter(exporter, quantizer, samples).write(file);
    }

    private static void refuse(String option, boolean set) {
        if (set) {
            throw new IllegalArgumentException(
                    option
                            + "(true): dynamically quantized weights have the bits of the config"
                            + " list; expected false");
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

    private static void check(NDList samples) {
        if (samples.isEmpty()) {
            throw new IllegalArgumentException(
                    "no samples; expected an array for each of the network's inputs, batch first");
        }
        for (int i = 0; i < samples.size(); i++) {
            Shape shape = samples.get(i).getShape();
            if (shape.dimension() == 0 || shape.size() == 0) {
                throw new IllegalArgumentException(
                        "samples["
                                + i
                                + "] has shape "
                                + shape
                                + "; expected a batch axis first, and no empty axis");
            }
        }
    }

    private static String profile(PlannedLayer layer) {
        Object profile = layer.points().get(0).settings().get(PROFILE);
        return profile == null ? EXACT_PROFILE : profile.toString();
    }

    private DynamicReport write(Path file) throws IOException {
        CalibrationConfig calibration = quantizer.calibration();
        Inspection inspection = quantizer.inspect();
        TracedNetwork network = inspection.onFloatNetwork(block -> exporter.trace(block, samples));
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("nni4j.algorithm", calibration.algorithm());
        metadata.put("nni4j.config", quantizer.config().toJson());
        Draft draft =
                exporter.draft(
                        network, new DynamicEmission(calibration), OnnxVersion.STANDARD, metadata);
        byte[] bytes = draft.bytes();
        OnnxExport export = draft.as(file, bytes.length);
        List<OutputDifference> differences = differences(draft.outputs(), bytes);
        OperatorCensus census = OperatorCensus.of(bytes);
        List<String> notes = new ArrayList<>(export.notes());
        DynamicReport report =
                new DynamicReport(
                        export,
                        census,
                        new DynamicFloatReasons(network.graph(), quantizer.plan()).explain(census),
                        differences,
                        gains(inspection, floating(network), bytes, notes),
                        notes);
        if (!report.isVerified() && !exporter.settings().unverified()) {
            throw new OnnxExportException(
                    report.problems().stream()
                            .map(
                                    problem ->
                                            "the ONNX model does not compute what it does in DJL: "
                                                    + problem)
                            .toList());
        }
        draft.write(file);
        return report;
    }

    private byte[] floating(TracedNetwork network) {
        return exporter.draft(network, EmissionHooks.FLOAT, OnnxVersion.STANDARD, Map.of()).bytes();
    }

    private Gains gains(
            Inspection inspection, byte[] floating, byte[] integer, List<String> notes) {
        QuantizedExport.Settings settings = exporter.settings();
        boolean timed = settings.timedSeconds() > 0;
        if (timed && exporter.fixedBatch()) {
            notes.add("nothing was timed: the model takes the samples' batch size alone");
        }
        if (!timed || exporter.fixedBatch()) {
            return new Gains(floating.length, integer.length, settings.threads(), List.of());
        }
        return inspection.onFloatNetwork(
                block ->
                        new GainMeter(floating, integer, settings.threads())
                                .measure(
                                        block,
                                        samples,
                                        settings.batchSizes(),
                                        settings.timedSeconds()));
    }

    private List<OutputDifference> differences(List<String> names, byte[] bytes) {
        List<RuntimeTensor> expected = inDjl();
        List<RuntimeTensor> actual = inOnnxRuntime(bytes);
        return IntStream.range(0, names.size())
                .mapToObj(i -> OutputDifference.of(names.get(i), expected.get(i), actual.get(i)))
                .toList();
    }

    private List<RuntimeTensor> inDjl() {
        try (NDManager scope = samples.head().getManager().newSubManager()) {
            NDList inputs = new NDList();
            for (NDArray sample : samples) {
                NDArray view = sample.reshape(sample.getShape());
                view.attach(scope);
                inputs.add(view);
            }
            return quantizer
                    .model()
                    .getBlock()
                    .forward(new ParameterStore(scope, false), inputs, false)
                    .stream()
                    .map(RuntimeTensor::of)
                    .toList();
        }
    }

    private List<RuntimeTensor> inOnnxRuntime(byte[] bytes) {
        try (OnnxSession session = OnnxSession.open(bytes, SessionSettings.exact())) {
            return List.copyOf(
                    session.run(samples.stream().map(RuntimeTensor::of).toList()).values());
        }
    }
}
