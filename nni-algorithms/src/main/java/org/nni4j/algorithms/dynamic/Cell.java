package org.nni4j.algorithms.dynamic;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Activation;
import org.jspecify.annotations.Nullable;

/** What a recurrent layer does at each step with the products of its input and hidden state. */
sealed interface Cell {

    /**
     * Makes the next states.
     *
     * @param fromInput product of the input, {@code [batch, gates · hidden]}
     * @param fromHidden product of the hidden state, likewise
     * @param states the hidden state first, each {@code [batch, hidden]}
     * @return the next states, owned by fromHidden's manager
     */
    NDArray[] step(NDArray fromInput, NDArray fromHidden, NDArray[] states);

    /** The cell of the engine's operator of that name. */
    static Cell of(
            String operator,
            @Nullable NDArray inputBias,
            @Nullable NDArray hiddenBias,
            boolean sumsBiases) {
        if (!operator.equals("lstm")) {
            return new Gru(inputBias, hiddenBias);
        }
        return sumsBiases && inputBias != null && hiddenBias != null
                ? new Lstm(null, null, inputBias.add(hiddenBias))
                : new Lstm(inputBias, hiddenBias, null);
    }

    private static NDArray plus(NDArray product, @Nullable NDArray bias) {
        return bias == null ? product : product.add(bias);
    }

    /**
     * Hochreiter and Schmidhuber, "Long short-term memory", 1997, with forget gate and without
     * peepholes; gates in the order input, forget, cell, output. The last bit of float32 depends on
     * where biases are added: each to its product, or their sum at the end.
     */
    record Lstm(@Nullable NDArray inputBias, @Nullable NDArray hiddenBias, @Nullable NDArray sum)
            implements Cell {

        @Override
        public NDArray[] step(NDArray fromInput, NDArray fromHidden, NDArray[] states) {
            NDArray products = plus(fromHidden, hiddenBias).add(plus(fromInput, inputBias));
            NDList gates = plus(products, sum).split(4, 1);
            NDArray input = Activation.sigmoid(gates.get(0));
            NDArray forget = Activation.sigmoid(gates.get(1));
            NDArray candidate = Activation.tanh(gates.get(2));
            NDArray output = Activation.sigmoid(gates.get(3));
            NDArray cell = forget.mul(states[1]).add(input.mul(candidate));
            return new NDArray[] {output.mul(Activation.tanh(cell)), cell};
        }
    }

    /**
     * Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
     * Machine Translation", 2014, <a href="https://arxiv.org/abs/1406.1078">arXiv:1406.1078</a>, in
     * the form of cuDNN and PyTorch, whose reset gate acts on the product of the hidden state;
     * gates in the order reset, update, candidate.
     */
    record Gru(@Nullable NDArray inputBias, @Nullable NDArray hiddenBias) implements Cell {

        @Override
        public NDArray[] step(NDArray fromInput, NDArray fromHidden, NDArray[] states) {
            NDList x = plus(fromInput, inputBias).split(3, 1);
            NDList h = plus(fromHidden, hiddenBias).split(3, 1);
            NDArray reset = Activation.sigmoid(x.get(0).add(h.get(0)));
            NDArray update = Activation.sigmoid(x.get(1).add(h.get(1)));
            NDArray candidate = Activation.tanh(x.get(2).add(reset.mul(h.get(2))));
            // (1 - z) · n + z · h
            NDArray next = candidate.add(update.mul(states[0].sub(candidate)));
            return new NDArray[] {next};
        }
    }
}
