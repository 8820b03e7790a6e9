package org.nni4j.export.verification;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
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

    private final Reference reference;
    private final List<RuntimeTensor> samples;
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
     * @param reference what the fake-quantized network computes for the samples
     * @param samples inputs of the model, in its order
     * @param limits what must be kept
     * @param threads of ONNX Runtime
     */
    public Verifier(
            Reference reference,
            List<RuntimeTensor> samples,
            Verification.Limits limits,
            int threads) {
        this.reference = reference;
        this.samples = List.copyOf(samples);
        this.limits = limits;
        this.threads = threads;
    }

    /**
     * Compares.
     *
     * @param model as trained
     * @param sevenBit the same with weights of seven bits
     * @return what was found
     */
    public Verification verify(Candidate model, Candidate sevenBit) {
        List<QuantizedTensor> known = model.tensors().stream().filter(t -> isKnown(t)).toList();
        return new Verification(
                cut(model.bytes(), known),
                whole(model.bytes(), known),
                session(model.bytes()),
                session(sevenBit.bytes()),
                Saturation.of(model.products(), reference),
                Saturation.of(sevenBit.products(), reference),
                limits.forLevels(levels(known)));
    }

    /** One less than the integers of the tensor that has the fewest. */
    private static int levels(List<QuantizedTensor> tensors) {
        return tensors.stream()
                .mapToInt(t -> t.codes().qmax() - t.codes().qmin())
                .min()
                .orElse(255);
    }

    private boolean isKnown(QuantizedTensor tensor) {
        return tensor.codes().isPerTensor()
                && tensor.codes().carrier().bits() == 8
                && tensor.sites().stream().anyMatch(s -> reference.tensors().containsKey(s));
    }

    /**
     * Each operator by itself: what reads a quantized tensor reads the trained network's integers
     * instead.
     */
    private Map<String, CodeComparison> cut(byte[] model, List<QuantizedTensor> tensors) {
        Map<String, RuntimeTensor> given = new LinkedHashMap<>();
        tensors.forEach(tensor -> given.put(GIVEN + tensor.integers(), given(tensor)));
        return compared(new OnnxModelReader(model).showing(types(tensors), GIVEN), given, tensors);
    }

    private static Map<String, OnnxType> types(List<QuantizedTensor> tensors) {
        Map<String, OnnxType> types = new LinkedHashMap<>();
        tensors.forEach(tensor -> types.put(tensor.integers(), tensor.codes().carrier()));
        return types;
    }

    private CodeComparison whole(byte[] model, List<QuantizedTensor> tensors) {
        byte[] showing = new OnnxModelReader(model).showing(types(tensors), "");
        return compared(showing, Map.of(), tensors).values().stream()
                .reduce(CodeComparison.NONE, CodeComparison::plus);
    }

    private Map<String, CodeComparison> compared(
            byte[] model, Map<String, RuntimeTensor> given, List<QuantizedTensor> tensors) {
        try (OnnxSession session = OnnxSession.open(model, SessionSettings.exact())) {
            Map<String, RuntimeTensor> inputs = new LinkedHashMap<>(given);
            List<String> names =
                    session.inputNames().stream().filter(n -> !given.containsKey(n)).toList();
            for (int i = 0; i < names.size(); i++) {
                inputs.put(names.get(i), samples.get(i));
            }
            Map<String, RuntimeTensor> outputs = session.run(inputs);
            Map<String, CodeComparison> found = new LinkedHashMap<>();
            for (QuantizedTensor tensor : tensors) {
                RuntimeTensor actual = outputs.get(tensor.integers());
                if (actual != null) {
                    int[] integers = actual.integers();
                    CodeComparison comparison =
                            expected(tensor)
                                    .map(e -> CodeComparison.of(e, integers))
                                    .reduce(CodeComparison.NONE, CodeComparison::plus);
                    found.put(tensor.sites().get(0).toString(), comparison);
                }
            }
            return found;
        }
    }

    /** The trained network's integers, at each of the places where it has the tensor. */
    private Stream<int[]> expected(QuantizedTensor tensor) {
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

    private RuntimeTensor given(QuantizedTensor tensor) {
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

    private OutputComparison session(byte[] model) {
        try (OnnxSession session = OnnxSession.open(model, SessionSettings.standard(threads))) {
            List<float[]> outputs =
                    session.run(samples).values().stream()
                            .filter(t -> t.type().isFloating())
                            .map(RuntimeTensor::floats)
                            .toList();
            return OutputComparison.of(reference.outputs(), outputs);
        }
    }
}
