package org.nni4j.export.operator;

/**
 * One layer of a recurrent network, both directions if it has two, with the weights in ONNX's
 * layout and gate order.
 *
 * @param op {@code LSTM}, {@code GRU} or {@code RNN}
 * @param layer from 0
 * @param directions 1 or 2
 * @param inputSize features per step
 * @param hiddenSize features of the state
 * @param activation for {@code RNN}, {@code Tanh} or {@code Relu}; empty for the others
 * @param weight {@code (directions, gates·hidden, input)}, gates in the order i o f c, or z r h
 * @param recurrence {@code (directions, gates·hidden, hidden)}, gates as in the weight
 * @param bias {@code (directions, 2·gates·hidden)}, that of the input and that of the state; zeros
 *     where the network has none
 * @param hasBias whether the network has biases
 */
public record RecurrentCell(
        String op,
        int layer,
        int directions,
        int inputSize,
        int hiddenSize,
        String activation,
        ParameterTensor weight,
        ParameterTensor recurrence,
        ParameterTensor bias,
        boolean hasBias) {}
