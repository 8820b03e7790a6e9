package org.nni4j.export.operator;

import java.util.List;

/** Writes one layer of a recurrent network. */
@FunctionalInterface
public interface CellWriter {

    /**
     * Adds the nodes of one layer.
     *
     * @param emission of the whole recurrent operator
     * @param cell the layer
     * @param sequence {@code (steps, batch, input)} by name
     * @param states initial states {@code (directions, batch, hidden)} by name: one, or two for
     *     LSTM; empty for zeros
     * @param outputs wanted names: the sequence {@code (steps, directions, batch, hidden)}, then
     *     the last states; empty where nothing reads them
     * @return the outputs' names
     */
    List<String> write(
            Emission emission,
            RecurrentCell cell,
            String sequence,
            List<String> states,
            List<String> outputs);
}
