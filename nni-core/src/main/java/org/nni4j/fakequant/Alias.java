package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * A view of an array that lasts, such as a weight, which belongs to one pass. What is computed from
 * it then belongs to the pass too, and not to the model, where it would pile up.
 */
public final class Alias {

    private Alias() {}

    /**
     * Makes a view.
     *
     * @param lasting the array; it stays with its own manager
     * @param scope owns the view
     * @return the same values and shape; gradients flow through
     */
    public static NDArray of(NDArray lasting, NDManager scope) {
        NDArray alias = lasting.reshape(lasting.getShape());
        alias.attach(scope);
        return alias;
    }
}
