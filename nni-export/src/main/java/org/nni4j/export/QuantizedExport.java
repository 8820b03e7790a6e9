package org.nni4j.export;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibratedTensor;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Inspection;
import org.nni4j.compression.Quantizer;
import org.nni4j.config.QuantType;
import org.nni4j.export.OnnxExporter.Draft;
import org.nni4j.export.integer.FloatReasons;
import org.nni4j.export.integer.IntegerEmission;
import org.nni4j.export.integer.IntegerEmission.WeightOptions;
import org.nni4j.export.integer.SignSites;
import org.nni4j.export.integer.TensorSite;
import org.nni4j.export.network.TracedNetwork;
import org.nni4j.export.onnx.OnnxVersion;
import org.nni4j.export.operator.EmissionHooks;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.export.verification.GainMeter;
import org.nni4j.export.verification.Gains;
import org.nni4j.export.verification.SampleParts;
import org.nni4j.export.verification.Verification;
import org.nni4j.export.verification.Verifier;
import org.nni4j.graph.Node;
import org.nni4j.graph.ParameterRead;

/** The export of one quantized model: written, verified and measured. */
final class QuantizedExport {

    private static final Set<String> INTEGER_WEIGHTS = Set.of("Conv", "ConvTranspose", "Linear");
    private static final int SHOWN = 5;

    private final OnnxExporter exporter;
    private final Settings settings;
    private final Quantizer quantizer;
    private final NDList samples;
    private final Inspection inspection;
    private final CalibrationConfig calibration;
    private final List<String> notes = new ArrayList<>();

    /**
     * What {@link OnnxExporter.Builder} says of quantized models, and how many elements of all
     * tensors together are compared at once.
     */
    record Settings(
            int threads,
            double timedSeconds,
            List<Integer> batchSizes,
            Verification.Limits limits,
            boolean unverified,
            boolean fourBitWeights,
            boolean sevenBitWeights,
            long elementsAtOnce) {

        /** Each takes some ten bytes while it is compared, a few hundred MB in all. */
        static final long MANY_ELEMENTS = 1L << 25;
    }

    QuantizedExport(OnnxExporter exporter, Settings settings, Quantizer quantizer, NDList samples) {
        this.exporter = exporter;
        this.settings = settings;
        this.quantizer = quantizer;
        this.samples = samples;
        this.inspection = quantizer.inspect();
        this.calibration = quantizer.calibration();
        check();
    }

    private void check() {
        if (calibration.algorithm().equals(DynamicExporter.ALGORITHM)) {
            throw new OnnxExportException(
                    List.of(
                            "algorithm \"dynamic\" chooses ranges in each call, so there are none"
                                    + " to write; expected DynamicExporter.export"));
        }
        List<String> problems = new ArrayList<>();
        for (CalibratedLayer layer : calibration.layers()) {
            if (!layer.unobserved().isEmpty()) {
                problems.add(
                        "layer \""
                                + layer.path()
                                + "\": "
                                + layer.unobserved()
                                + " saw no data; train or calibrate the model first");
            }
        }
        quantizer.plan().quantizedLayers().stream()
                .filter(layer -> layer.points().get(0).startStep() > quantizer.step())
                .forEach(
                        layer ->
                                problems.add(
                                        "layer \""
                                                + layer.path()
                                                + "\" is in float until step "
                                                + layer.points().get(0).startStep()
                                                + "; this is step "
                                                + quantizer.step()));
        if (samples.isEmpty() || samples.stream().anyMatch(sample -> sample.size() < 1)) {
            problems.add(
                    "samples of shapes "
                            + List.of(samples.getShapes())
                            + "; expected at least one sample, of real data");
        }
        if (!problems.isEmpty()) {
            throw new OnnxExportException(problems);
        }
    }

    ExportReport write(Path file) throws IOException {
        try (NDManager scope = samples.head().getManager().newSubManager()) {
            TracedNetwork traced = trace(scope);
            Map<ParameterRead, NDArray> fixed = new HashMap<>();
            Map<ParameterRead, float[]> weights = weights(traced, scope, fixed);
            TracedNetwork network = traced.withParameters(fixed);
            Set<TensorSite> signs = SignSites.find(calibration, inspection, scope);
            Written asTrained = draft(network, weights, signs, false);
            Written sevenBit = draft(network, weights, signs, true);
            Verification verification =
                    verify(parts(traced), asTrained, asTrained.draft.bytes(), sevenBit);
            Written written = settings.sevenBitWeights() ? sevenBit : asTrained;
            byte[] bytes = written.draft.bytes();
            OperatorCensus census = OperatorCensus.of(bytes);
            byte[] floating =
                    exporter.draft(traced, EmissionHooks.FLOAT, OnnxVersion.STANDARD, Map.of())
                            .bytes();
            Gains gains = gains(traced.anyBatch(), floating, bytes);
            OnnxExport unwritten = written.draft.as(file, bytes.length);
            ExportReport report =
                    new ExportReport(
                            unwritten,
                            census,
                            new FloatReasons(written.emission).explain(census),
                            verification,
                            settings.sevenBitWeights(),
                            gains,
                            notes);
            if (!report.isVerified() && !settings.unverified()) {
                throw new UnverifiedModelException(report);
            }
            written.draft.write(file);
            return report;
        }
    }

    /* Two rows are enough for any batch size. A fixed one is what the samples are, on whatever axis. */
    private TracedNetwork trace(NDManager scope) {
        boolean common =
                samples.stream().allMatch(sample -> sample.getShape().dimension() > 0)
                        && samples.stream().mapToLong(sample -> sample.size(0)).distinct().count()
                                == 1;
        if (exporter.fixedBatch() || !common) {
            return inspection.onFloatNetwork(block -> exporter.trace(block, samples));
        }
        NDList few = SampleParts.rows(samples, 0, Math.min(2, samples.head().size(0)), scope);
        return inspection.onFloatNetwork(block -> exporter.trace(block, few));
    }

    /**
     * The quantized weights. Those that no convolution or linear layer reads stay float tensors in
     * the file, and are put there as evaluation computes with them.
     */
    private Map<ParameterRead, float[]> weights(
            TracedNetwork traced, NDManager scope, Map<ParameterRead, NDArray> fixed) {
        Map<ParameterRead, float[]> weights = new HashMap<>();
        Set<ParameterRead> inFloat = readInFloat(traced);
        for (CalibratedLayer layer : calibration.layers()) {
            for (CalibratedTensor tensor : layer.tensors()) {
                if (tensor.quantType() == QuantType.WEIGHT) {
                    ParameterRead read = new ParameterRead(layer.path(), tensor.tensor());
                    NDArray weight =
                            inspection
                                    .quantizedWeight(layer.path(), tensor.tensor(), scope)
                                    .orElseThrow();
                    // Also where an operator without integer form reads it: one that has it may,
                    // too.
                    weights.put(read, weight.toFloatArray());
                    if (inFloat.contains(read)) {
                        fixed.put(read, weight);
                        notes.add(
                                "weight \""
                                        + read
                                        + "\" is stored in float, with its quantized values: an"
                                        + " operator that reads it has no integer form here");
                    }
                }
            }
        }
        if (notes.size() > SHOWN) {
            int more = notes.size() - SHOWN;
            notes.subList(SHOWN, notes.size()).clear();
            notes.add("and so are " + more + " more");
        }
        return weights;
    }

    /** The parameters that an operator of their own layer reads which has no integer form. */
    private static Set<ParameterRead> readInFloat(TracedNetwork traced) {
        return traced.graph().nodes().stream()
                .filter(node -> !INTEGER_WEIGHTS.contains(node.op()))
                .flatMap(node -> node.parameters().stream().filter(p -> isWithin(node, p)))
                .collect(Collectors.toSet());
    }

    /* Other layers see the parameter itself, and not its quantized values. */
    private static boolean isWithin(Node node, ParameterRead read) {
        return read.layer().isEmpty()
                || node.layer().equals(read.layer())
                || node.layer().startsWith(read.layer() + ".");
    }

    private record Written(IntegerEmission emission, Draft draft) {}

    private Written draft(
            TracedNetwork network,
            Map<ParameterRead, float[]> weights,
            Set<TensorSite> signs,
            boolean sevenBit) {
        IntegerEmission emission =
                new IntegerEmission(
                        network,
                        calibration,
                        read -> Objects.requireNonNull(weights.get(read)),
                        signs,
                        new WeightOptions(settings.fourBitWeights(), sevenBit));
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("nni4j.algorithm", calibration.algorithm());
        metadata.put("nni4j.config", quantizer.config().toJson());
        metadata.put("nni4j.step", String.valueOf(calibration.step()));
        OnnxVersion version =
                settings.fourBitWeights() || emission.needsNewTypes()
                        ? OnnxVersion.FOUR_BIT
                        : OnnxVersion.STANDARD;
        return new Written(emission, exporter.draft(network, emission, version, metadata));
    }

    /* Parts of so many rows that what is computed for one stays within the memory meant for it. */
    private SampleParts parts(TracedNetwork traced) {
        if (!traced.anyBatch()) {
            return SampleParts.whole(samples);
        }
        long elements =
                traced.graph().nodes().stream()
                        .flatMap(node -> node.outputs().stream())
                        .mapToLong(value -> value.shape().size())
                        .sum();
        long perRow = elements / traced.graph().inputs().get(0).shape().get(0);
        return SampleParts.of(samples, settings.elementsAtOnce() / Math.max(1, perRow));
    }

    private Verification verify(
            SampleParts parts, Written asTrained, byte[] bytes, Written sevenBit) {
        Verifier verifier = new Verifier(inspection, parts, settings.limits(), settings.threads());
        return verifier.verify(
                new Verifier.Candidate(
                        bytes, asTrained.emission.tensors(), asTrained.emission.products()),
                new Verifier.Candidate(
                        sevenBit.draft.bytes(),
                        sevenBit.emission.tensors(),
                        sevenBit.emission.products()));
    }

    private Gains gains(boolean anyBatch, byte[] floating, byte[] integer) {
        if (settings.timedSeconds() <= 0) {
            return new Gains(floating.length, integer.length, settings.threads(), List.of());
        }
        return inspection.onFloatNetwork(
                block -> {
                    GainMeter meter = new GainMeter(floating, integer, settings.threads());
                    return anyBatch
                            ? meter.measure(
                                    block, samples, settings.batchSizes(), settings.timedSeconds())
                            : meter.measureAsGiven(block, samples, settings.timedSeconds());
                });
    }
}
