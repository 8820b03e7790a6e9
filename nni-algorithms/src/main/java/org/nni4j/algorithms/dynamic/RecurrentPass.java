package org.nni4j.algorithms.dynamic;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nni4j.fakequant.OperatorCall;

/**
 * An LSTM or GRU step by step, as the integer runtimes compute it: the input sequence of a layer is
 * quantized once with one scale, the hidden state anew at each step; biases, gates and the cell
 * state are float.
 */
final class RecurrentPass {
    /*
     * The engine's operators take (x, states, parameters, hasBiases, layers, dropout, training, bidirectional, batchFirst).
     * States are [layers · directions, batch, hidden]; parameters come in groups, one for each layer and direction: weights
     * of input and hidden state, then their biases if there are any.
     */
    private final OperatorCall call;
    private final boolean sumsBiases;
    private final NDManager scope;
    private final NDList parameters;
    private final boolean biases;

    RecurrentPass(OperatorCall call, boolean sumsBiases, NDManager scope) {
        this.call = call;
        this.sumsBiases = sumsBiases;
        this.scope = scope;
        this.parameters = call.arrays(2);
        this.biases = call.argument(3, Boolean.class);
    }

    /** Returns the outputs of the last layer, and the last states of all. */
    NDList run(NDArray input) {
        boolean batchFirst = call.argument(8, Boolean.class);
        int layers = call.argument(4, Integer.class);
        int directions = call.argument(7, Boolean.class) ? 2 : 1;
        List<NDArray> first = firstStates();
        List<List<NDArray>> last = new ArrayList<>();
        first.forEach(state -> last.add(new ArrayList<>()));
        NDArray sequence = batchFirst ? input.transpose(1, 0, 2) : input;
        for (int layer = 0; layer < layers; layer++) {
            Integers x = IntegerArithmetic.input(call, sequence);
            NDList outputs = new NDList();
            for (int direction = 0; direction < directions; direction++) {
                int index = layer * directions + direction;
                NDArray[] states = first.stream().map(s -> s.get(index)).toArray(NDArray[]::new);
                outputs.add(direction(index, x, states, direction == 1));
                for (int i = 0; i < states.length; i++) {
                    last.get(i).add(states[i]);
                }
            }
            sequence = directions == 1 ? outputs.head() : NDArrays.concat(outputs, 2);
        }
        NDList result = new NDList(batchFirst ? sequence.transpose(1, 0, 2) : sequence);
        last.forEach(states -> result.add(NDArrays.stack(new NDList(states))));
        return result;
    }

    private List<NDArray> firstStates() {
        List<NDArray> states =
                call.operator().equals("lstm")
                        ? call.arrays(1)
                        : List.of(call.argument(1, NDArray.class));
        return states.stream().map(state -> Scoped.float32(state, scope)).toList();
    }

    /** One layer in one direction; the states are moved to the last step's. */
    private NDArray direction(int index, Integers x, NDArray[] states, boolean backwards) {
        int first = index * (biases ? 4 : 2);
        Integers.Weight hidden = weight(first + 1);
        Cell cell =
                Cell.of(
                        call.operator(),
                        biases ? bias(first + 2) : null,
                        biases ? bias(first + 3) : null,
                        sumsBiases);
        NDArray fromInput = weight(first).product(x);
        int steps = (int) fromInput.getShape().get(0);
        NDArray[] outputs = new NDArray[steps];
        for (int i = 0; i < steps; i++) {
            int t = backwards ? steps - 1 - i : i;
            try (NDManager step = scope.newSubManager()) {
                NDArray[] previous = new NDArray[states.length];
                for (int s = 0; s < states.length; s++) {
                    previous[s] = Scoped.float32(states[s], step);
                }
                NDArray gates = fromInput.get(t);
                gates.attach(step);
                NDArray fromHidden = hidden.product(IntegerArithmetic.input(call, previous[0]));
                NDArray[] next = cell.step(gates, fromHidden, previous);
                for (int s = 0; s < states.length; s++) {
                    next[s].attach(scope);
                    states[s] = next[s];
                }
                outputs[t] = states[0];
            }
        }
        return NDArrays.stack(new NDList(outputs));
    }

    private Integers.Weight weight(int position) {
        return IntegerArithmetic.weight(call, parameters.get(position), scope);
    }

    private @Nullable NDArray bias(int position) {
        return Scoped.float32(parameters.get(position), scope);
    }
}
