package org.nni4j.export.operator;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.nni4j.export.onnx.Attribute;

/** Recurrent cells in float. */
final class Recurrences {

    private Recurrences() {}

    static void addTo(Map<String, OperatorMapping> table) {
        OperatorMapping mapping = new RecurrentMapping(Recurrences::cell);
        table.put("Lstm", mapping);
        table.put("Gru", mapping);
        table.put("Rnn", mapping);
    }

    private static List<String> cell(
            Emission e,
            RecurrentCell cell,
            String sequence,
            List<String> states,
            List<String> outputs) {
        List<String> operands = new ArrayList<>();
        operands.add(sequence);
        operands.add(e.parameter("weight", cell.weight()));
        operands.add(e.parameter("recurrence", cell.recurrence()));
        operands.add(cell.hasBias() ? e.parameter("bias", cell.bias()) : "");
        operands.add("");
        operands.addAll(states);
        while (operands.get(operands.size() - 1).isEmpty()) {
            operands.remove(operands.size() - 1);
        }
        List<Attribute> attributes = new ArrayList<>();
        attributes.add(Attribute.of("hidden_size", cell.hiddenSize()));
        attributes.add(
                Attribute.of("direction", cell.directions() == 1 ? "forward" : "bidirectional"));
        if (cell.op().equals("GRU")) {
            // PyTorch applies the reset gate after the state's product and bias.
            attributes.add(Attribute.of("linear_before_reset", 1));
        } else if (cell.op().equals("RNN")) {
            List<String> perDirection = Collections.nCopies(cell.directions(), cell.activation());
            attributes.add(Attribute.strings("activations", perDirection.toArray(String[]::new)));
        }
        return e.onnx()
                .nodes("", cell.op(), outputs, operands, attributes.toArray(Attribute[]::new));
    }
}
