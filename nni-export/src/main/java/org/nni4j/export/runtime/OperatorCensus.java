package org.nni4j.export.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.nni4j.export.onnx.OnnxModelReader;
import org.nni4j.export.onnx.OnnxModelReader.ReadNode;
import org.nni4j.export.onnx.OnnxType;

/**
 * What ONNX Runtime makes of a model: the operators it executes after its optimizations, and
 * whether they compute with integers or floats.
 *
 * @param counts how often each operator is there
 * @param integer operators that compute on integers
 * @param floating operators that compute on floats
 * @param conversions {@code QuantizeLinear} and {@code DequantizeLinear} that are left, at the
 *     model's ends or around what stayed float
 * @param floats the operators that compute on floats
 */
public record OperatorCensus(
        Map<String, Integer> counts,
        int integer,
        int floating,
        int conversions,
        List<FloatOperator> floats) {

    /**
     * An operator that computes on floats.
     *
     * @param name of the node; a node that several were fused into has a name that holds theirs
     * @param op its type
     */
    public record FloatOperator(String name, String op) {}

    private static final Set<String> CONVERSIONS =
            Set.of("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear");

    /** They give integers whatever they read. */
    private static final Set<String> INTEGER_RESULT =
            Set.of(
                    "QuantizeLinear",
                    "DynamicQuantizeLinear",
                    "Shape",
                    "Size",
                    "ArgMax",
                    "ArgMin",
                    "MatMulInteger",
                    "ConvInteger");

    /** They give floats whatever they read. */
    private static final Set<String> FLOAT_RESULT =
            Set.of(
                    "DequantizeLinear",
                    "DynamicQuantizeMatMul",
                    "DynamicQuantizeLSTM",
                    "MatMulIntegerToFloat",
                    "MatMulNBits");

    /** They compute on integers although floats come out. */
    private static final Set<String> INTEGER_INSIDE =
            Set.of("DynamicQuantizeMatMul", "DynamicQuantizeLSTM", "MatMulIntegerToFloat", "QGemm");

    /** They move elements and compute nothing. */
    private static final Set<String> MOVES =
            Set.of(
                    "Identity",
                    "Reshape",
                    "Flatten",
                    "Transpose",
                    "Squeeze",
                    "Unsqueeze",
                    "Slice",
                    "Split",
                    "Gather",
                    "Concat",
                    "Expand",
                    "Shape",
                    "Cast",
                    "Pad",
                    "ReorderInput",
                    "ReorderOutput");

    /** How many inputs a QGemm has whose result is an integer. */
    private static final int QGEMM_INPUTS = 9;

    /** Copies the collections. */
    public OperatorCensus {
        counts = java.util.Collections.unmodifiableMap(new TreeMap<>(counts));
        floats = List.copyOf(floats);
    }

    /**
     * Lets ONNX Runtime optimize a model, and looks at the result. Memory layout is left as it is,
     * so that operators keep their names.
     *
     * @param model an ONNX file's bytes
     * @return the census
     * @throws OnnxRuntimeException if ONNX Runtime refuses the model
     * @throws IOException if the optimized model cannot be written to a temporary file
     */
    public static OperatorCensus of(byte[] model) throws IOException {
        Path file = Files.createTempFile("nni4j-optimized", ".onnx");
        try {
            SessionSettings settings =
                    new SessionSettings(
                            SessionSettings.Optimization.EXTENDED, 1, Optional.of(file), Map.of());
            OnnxSession.open(model, settings).close();
            return count(new OnnxModelReader(Files.readAllBytes(file)));
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static OperatorCensus count(OnnxModelReader model) {
        Map<String, Boolean> isFloat = new HashMap<>();
        model.givenTypes().forEach((name, type) -> isFloat.put(name, isFloat(type)));
        Map<String, Integer> counts = new TreeMap<>();
        List<FloatOperator> floats = new ArrayList<>();
        int integer = 0;
        int conversions = 0;
        for (ReadNode node : model.nodes()) {
            String op = node.op();
            counts.merge(op, 1, Integer::sum);
            boolean reads = isFloat.getOrDefault(data(node), false);
            boolean gives = givesFloat(node, reads);
            node.outputs().forEach(output -> isFloat.put(output, gives));
            if (CONVERSIONS.contains(op)) {
                conversions++;
            } else if (!reads || INTEGER_INSIDE.contains(op)) {
                integer += MOVES.contains(op) || node.inputs().isEmpty() ? 0 : 1;
            } else if (!MOVES.contains(op) && gives) {
                floats.add(new FloatOperator(node.name(), op));
            }
        }
        return new OperatorCensus(counts, integer, floats.size(), conversions, floats);
    }

    /** What an operator computes on; its result's scale and zero point may stand before that. */
    private static String data(ReadNode node) {
        int first = node.op().equals("QLinearConcat") ? 2 : 0;
        return node.inputs().size() > first ? node.inputs().get(first) : "";
    }

    private static boolean givesFloat(ReadNode node, boolean reads) {
        String op = node.op();
        if (op.equals("QGemm")) {
            return node.inputs().size() < QGEMM_INPUTS;
        }
        if (op.equals("Cast")) {
            return isFloat(node.numbers().getOrDefault("to", 0L).intValue());
        }
        return FLOAT_RESULT.contains(op) || (reads && !INTEGER_RESULT.contains(op));
    }

    private static boolean isFloat(int type) {
        return type == OnnxType.FLOAT32.code()
                || type == OnnxType.FLOAT64.code()
                || type == OnnxType.FLOAT16.code();
    }

    /** Returns for instance {@code 32 integer, 0 float, 2 conversions: {QLinearAdd=9, …}}. */
    @Override
    public String toString() {
        return integer
                + " integer, "
                + floating
                + " float, "
                + conversions
                + " conversions: "
                + counts;
    }
}
