package org.nni4j.export.dynamic;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.config.QuantType;
import org.nni4j.export.onnx.Attribute;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;
import org.nni4j.export.operator.Emission;
import org.nni4j.export.operator.EmissionHooks;
import org.nni4j.export.operator.OperatorMapping;
import org.nni4j.export.operator.RecurrentCell;
import org.nni4j.export.operator.RecurrentMapping;
import org.nni4j.graph.Node;
import org.nni4j.graph.ParameterRead;
import org.nni4j.graph.Value;

/**
 * Linear layers as DynamicQuantizeLinear and MatMulInteger, LSTMs as ONNX Runtime's
 * DynamicQuantizeLSTM; everything else in float.
 */
public final class DynamicEmission implements EmissionHooks {
    /*
     * DynamicQuantizeLSTM takes (X, W, R, B, sequence_lens, initial_h, initial_c, P, W_scale, W_zero_point, R_scale,
     * R_zero_point). W is [directions, input, 4 · hidden] and R [directions, hidden, 4 · hidden]: transposed against ONNX's
     * LSTM, gates in the same order. Scales are [directions], or [directions, 4 · hidden]; int8 zero points must be 0.
     */
    private static final String MICROSOFT = "com.microsoft";
    private static final int GATES = 4;

    /** Where in DJL's order (i f g o) each of ONNX's gates (i o f c) stands. */
    private static final int[] ORDER = {0, 3, 1, 2};

    private static final Set<String> OPERATORS = Set.of("Linear", "Lstm");

    private final Map<String, CalibratedLayer> layers;

    /**
     * Makes hooks.
     *
     * @param calibration the scales of each quantized weight
     */
    public DynamicEmission(CalibrationConfig calibration) {
        layers =
                calibration.layers().stream()
                        .collect(Collectors.toMap(CalibratedLayer::path, Function.identity()));
    }

    @Override
    public Optional<OperatorMapping> replacement(Node node) {
        if (!layers.containsKey(node.layer()) || !OPERATORS.contains(node.op())) {
            return Optional.empty();
        }
        return Optional.of(
                node.op().equals("Linear") ? this::linear : new RecurrentMapping(this::cell));
    }

    /**
     * {@code float(MatMulInteger(x, w)) · (s_x · s_w) + bias}, the form that ONNX Runtime fuses.
     */
    private void linear(Emission e) {
        Value value = e.node().input("weight").orElseThrow();
        ParameterRead read = value.parameter().orElseThrow();
        TensorCalibration calibration = weight(read);
        int rows = (int) value.shape().get(0);
        float[] elements = e.network().parameter(read).toFloatArray();
        List<IntegerMatrix> matrix = List.of(IntegerMatrix.of(elements, rows, calibration));
        String weight = once(e, read + "/int8", IntegerMatrix.stacked(matrix, false));
        String scale = once(e, read + "/scale", IntegerMatrix.scales(matrix, false));
        String base = e.node().name();
        List<String> x =
                e.onnx()
                        .nodes(
                                "",
                                "DynamicQuantizeLinear",
                                List.of(base + "/quantized", base + "/scale", base + "/zero_point"),
                                List.of(e.input()));
        String sum = e.add("MatMulInteger", List.of(x.get(0), weight, x.get(2)));
        String scales = e.add("Mul", List.of(x.get(1), scale));
        String floats = e.cast(sum, OnnxType.INT32, OnnxType.FLOAT32);
        Optional<String> bias = e.optional("bias");
        if (bias.isEmpty()) {
            e.result("Mul", List.of(floats, scales));
        } else {
            e.result("Add", List.of(e.add("Mul", List.of(floats, scales)), bias.get()));
        }
    }

    private List<String> cell(
            Emission e,
            RecurrentCell cell,
            String sequence,
            List<String> states,
            List<String> outputs) {
        List<IntegerMatrix> inputs = matrices(e, cell, 0);
        List<IntegerMatrix> recurrences = matrices(e, cell, 1);
        String input = cell.weight().name();
        String recurrence = cell.recurrence().name();
        List<String> operands = new ArrayList<>();
        operands.add(sequence);
        operands.add(once(e, input + "/int8", IntegerMatrix.stacked(inputs, true)));
        operands.add(once(e, recurrence + "/int8", IntegerMatrix.stacked(recurrences, true)));
        operands.add(cell.hasBias() ? e.parameter("bias", cell.bias()) : "");
        operands.add("");
        operands.addAll(states.isEmpty() ? List.of("", "") : states);
        operands.add("");
        addScales(e, input + "/scale", inputs, operands);
        addScales(e, recurrence + "/scale", recurrences, operands);
        return e.onnx()
                .nodes(
                        MICROSOFT,
                        "DynamicQuantizeLSTM",
                        outputs,
                        operands,
                        Attribute.of("hidden_size", cell.hiddenSize()),
                        Attribute.of(
                                "direction", cell.directions() == 1 ? "forward" : "bidirectional"));
    }

    /** A layer that runs twice has its weights once. */
    private static String once(Emission e, String name, TensorData data) {
        return e.onnx().hasInitializer(name) ? name : e.onnx().initializer(name, data);
    }

    private static void addScales(
            Emission e, String name, List<IntegerMatrix> matrices, List<String> operands) {
        operands.add(once(e, name, IntegerMatrix.scales(matrices, true)));
        operands.add(e.onnx().constant(IntegerMatrix.zeroPoints(matrices)));
    }

    /** The weights of the input (kind 0) or of the hidden state (1), by direction. */
    private List<IntegerMatrix> matrices(Emission e, RecurrentCell cell, int kind) {
        List<Value> parameters = e.values("params");
        int perCell = cell.hasBias() ? 4 : 2;
        List<IntegerMatrix> matrices = new ArrayList<>();
        for (int d = 0; d < cell.directions(); d++) {
            int index = (cell.layer() * cell.directions() + d) * perCell + kind;
            ParameterRead read = parameters.get(index).parameter().orElseThrow();
            float[] elements = e.network().parameter(read).toFloatArray();
            matrices.add(
                    IntegerMatrix.of(elements, GATES * cell.hiddenSize(), weight(read))
                            .reordered(ORDER));
        }
        return matrices;
    }

    private TensorCalibration weight(ParameterRead read) {
        return Optional.ofNullable(layers.get(read.layer()))
                .flatMap(layer -> layer.tensor(QuantType.WEIGHT, read.name()))
                .orElseThrow(() -> new IllegalStateException(read + " has no scale"));
    }
}
