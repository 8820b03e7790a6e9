package org.nni4j.fakequant;

import ai.djl.ndarray.NDList;
import java.util.Set;

/**
 * Computes a layer's operators in the engine's place, for algorithms that quantize inside them: the
 * hidden state of an LSTM, for instance, or a product that is to be summed in integers.
 */
public interface LayerArithmetic {

    /**
     * Returns the operators that are computed.
     *
     * @return names of methods of DJL's {@code NDArrayEx}, for instance {@code "lstm"}
     */
    Set<String> operators();

    /**
     * Computes an operator; called in each pass, from the thread that runs it.
     *
     * @param call one of the {@link #operators()}, with quantizers for its operands
     * @return what the engine would return, owned by the input's manager
     */
    NDList compute(OperatorCall call);
}
