package org.nni4j.export.verification;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.nni4j.compression.Inspection;
import org.nni4j.export.integer.IntegerProduct;
import org.nni4j.export.integer.QuantizedTensor;
import org.nni4j.export.integer.TensorCodes;
import org.nni4j.export.onnx.OnnxModelReader;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.runtime.OnnxSession;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.runtime.SessionSettings;

/** Compares an exported model with the network it was made of. */
public final class Verifier {

    private static final String GIVEN = "given/";

    /* Of one layer, as many as are looked at of a large one: parts of the samples behind them add nothing but time. */
    private static final long ENOUGH_SUMS = 3_000_000;

    private final Inspection inspection;
    private final SampleParts samples;
    private final Verification.Limits limits;
    private final int threads;

    /**
     * A model to be compared.
     *
     * @param bytes of the ONNX file
     * @param tensors that are integers in it
     * @param products that multiply integers in it
     */
    public record Candidate(
            byte[] bytes, List<QuantizedTensor> tensors, List<IntegerProduct> products) {}

    /**
     * Prepares.
     *
     * @param inspection of the fake-quantized network
     * @param samples inputs of the model, in its order
     * @param limits what must be kept
     * @param threads of ONNX Runtime
     */
    public Verifier(
            Inspection inspection, SampleParts samples, Verification.Limits limits, int threads) {
        this.inspection = inspection;
        this.samples = samples;
        this.limits = limits;
        this.threads = threads;
    }

    /** Samples, and what the trained network computes for them. */
    private record Part(List<RuntimeTensor> inputs, Reference reference) {}

    private Part part(int index) {
        try (NDManager scope = samples.samples().head().getManager().newSubManager()) {
            NDList inputs = samples.part(index, scope);
            return new Part(
                    inputs.stream().map(RuntimeTensor::of).toList(),
                    Reference.of(inspection, inputs));
        }
    }

    /**
     * Compares.
     *
     * @param model as trained
     * @param sevenBit the same with weights of seven bits
     * @return what was found
     */
    public Verification verify(Candidate model, Candidate sevenBit) {
        Part part = part(0);
        Reference first = part.reference();
        List<QuantizedTensor> known =
                model.tensors().stream().filter(t -> isKnown(t, first)).toList();
        SessionSettings standard = SessionSettings.standard(threads);
        try (OnnxSession cut = showing(model.bytes(), known, GIVEN);
                OnnxSession whole = showing(model.bytes(), known, "");
                OnnxSession session = OnnxSession.open(model.bytes(), standard);
                OnnxSession reduced = OnnxSession.open(sevenBit.bytes(), standard)) {
            // Those without a site are quantized again behind it, into the same integers.
            boolean allKnown =
                    known.size()
                            == model.tensors().stream().filter(t -> !t.sites().isEmpty()).count();
            Findings findings = new Findings(known, allKnown);
            for (int i = 0; i < samples.count(); i++) {
                part = i == 0 ? part : part(i);
                findings.cut(cut, part);
                findings.whole(whole, part);
                findings.session.add(part.reference().outputs(), outputs(session, part));
                findings.sevenBit.add(part.reference().outputs(), outputs(reduced, part));
                findings.saturation =
                        saturation(findings.saturation, model.products(), part.reference());
                findings.sevenBitSaturation =
                        saturation(
                                findings.sevenBitSaturation, sevenBit.products(), part.reference());
            }
            return findings.verification();
        }
    }

    private static boolean isKnown(QuantizedTensor tensor, Reference reference) {
        return tensor.codes().isPerTensor()
                && tensor.codes().carrier().bits() == 8
                && tensor.sites().stream().anyMatch(s -> reference.tensors().containsKey(s));
    }

    /** The model without optimizations, with its integers as outputs. */
    private static OnnxSession showing(byte[] model, List<QuantizedTensor> tensors, String given) {
        Map<String, OnnxType> types = new LinkedHashMap<>();
        tensors.forEach(tensor -> types.put(tensor.integers(), tensor.codes().carrier()));
        return OnnxSession.open(
                new OnnxModelReader(model).showing(types, given), SessionSettings.exact());
    }

    private static List<RuntimeTensor> outputs(OnnxSession session, Part part) {
        return List.copyOf(session.run(part.inputs()).values());
    }

    private static Saturation saturation(
            Saturation sum, List<IntegerProduct> products, Reference reference) {
        if (sum.sums() >= ENOUGH_SUMS * products.size()) {
            return sum;
        }
        Saturation more = Saturation.of(products, reference);
        return new Saturation(sum.sums() + more.sums(), sum.saturated() + more.saturated());
    }

    /** What was found in all parts so far. */
    private final class Findings {

        private final List<QuantizedTensor> known;
        private final Map<String, CodeComparison> cut = new LinkedHashMap<>();
        private final Map<String, CodeComparison> whole = new LinkedHashMap<>();
        private final OutputComparison.Gathered cutOutputs = new OutputComparison.Gathered();
        private final OutputComparison.Gathered session = new OutputComparison.Gathered();
        private final OutputComparison.Gathered sevenBit = new OutputComparison.Gathered();
        private Saturation saturation = new Saturation(0, 0);
        private Saturation sevenBitSaturation = new Saturation(0, 0);
        private final boolean allKnown;
        private int rows;

        /** Of tensors that are not known nothing is given: a step in them moves the outputs. */
        Findings(List<QuantizedTensor> known, boolean allKnown) {
            this.known = known;
            this.allKnown = allKnown;
        }

        /**
         * Each operator by itself: what reads a quantized tensor reads the trained network's
         * integers instead. So do the operators that make the outputs.
         */
        void cut(OnnxSession model, Part part) {
            Map<String, RuntimeTensor> given = new LinkedHashMap<>();
            known.forEach(
                    tensor ->
                            given.put(GIVEN + tensor.integers(), given(tensor, part.reference())));
            Map<String, RuntimeTensor> outputs = compare(model, given, part, cut);
            known.forEach(tensor -> outputs.remove(tensor.integers()));
            cutOutputs.add(part.reference().outputs(), List.copyOf(outputs.values()));
            long[] shape = part.inputs().get(0).shape();
            rows += shape.length == 0 ? 1 : (int) shape[0];
        }

        void whole(OnnxSession model, Part part) {
            compare(model, Map.of(), part, whole);
        }

        private Map<String, RuntimeTensor> compare(
                OnnxSession model,
                Map<String, RuntimeTensor> given,
                Part part,
                Map<String, CodeComparison> found) {
            Map<String, RuntimeTensor> inputs = new LinkedHashMap<>(given);
            List<String> names =
                    model.inputNames().stream().filter(n -> !given.containsKey(n)).toList();
            for (int i = 0; i < names.size(); i++) {
                inputs.put(names.get(i), part.inputs().get(i));
            }
            Map<String, RuntimeTensor> outputs = model.run(inputs);
            for (QuantizedTensor tensor : known) {
                RuntimeTensor actual = outputs.get(tensor.integers());
                if (actual != null) {
                    int[] integers = actual.integers();
                    CodeComparison comparison =
                            expected(tensor, part.reference())
                                    .map(e -> CodeComparison.of(e, integers))
                                    .reduce(CodeComparison.NONE, CodeComparison::plus);
                    found.merge(tensor.sites().get(0).toString(), comparison, CodeComparison::plus);
                }
            }
            return outputs;
        }

        Verification verification() {
            Verification.Limits reached = limits.forLevels(levels());
            return new Verification(
                    cut,
                    cutOutputs.compare(rows),
                    allKnown ? limits.cutOutputSteps() : reached.outputSteps(),
                    whole.values().stream().reduce(CodeComparison.NONE, CodeComparison::plus),
                    session.compare(rows),
                    sevenBit.compare(rows),
                    saturation,
                    sevenBitSaturation,
                    reached);
        }

        /** One less than the integers of the tensor that has the fewest. */
        private int levels() {
            return known.stream()
                    .mapToInt(t -> t.codes().qmax() - t.codes().qmin())
                    .min()
                    .orElse(255);
        }
    }

    /** The trained network's integers, at each of the places where it has the tensor. */
    private static Stream<int[]> expected(QuantizedTensor tensor, Reference reference) {
        return tensor.sites().stream()
                .map(site -> reference.tensors().get(site))
                .filter(t -> t != null)
                .map(t -> integers(t.elements(), tensor.codes()));
    }

    /** The values lie on the grid, so that this is exact. */
    private static int[] integers(float[] values, TensorCodes codes) {
        int[] integers = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            integers[i] = (int) Math.rint(values[i] / codes.scale()) + codes.zeroPoint();
        }
        return integers;
    }

    private static RuntimeTensor given(QuantizedTensor tensor, Reference reference) {
        Reference.Tensor values =
                tensor.sites().stream()
                        .map(site -> reference.tensors().get(site))
                        .filter(t -> t != null)
                        .findFirst()
                        .orElseThrow();
        int[] integers = integers(values.elements(), tensor.codes());
        boolean signed = tensor.codes().carrier() == OnnxType.INT8;
        return RuntimeTensor.bytes(integers, signed, values.shape());
    }
}
