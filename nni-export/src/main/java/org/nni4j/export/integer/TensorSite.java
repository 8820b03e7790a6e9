package org.nni4j.export.integer;

import org.nni4j.fakequant.TensorTap;

/**
 * A place where the fake-quantized network quantizes a tensor.
 *
 * @param path of the layer, or the traced name of the operator
 * @param side input or output
 * @param position among its inputs or outputs
 * @param run which of its runs in one pass, from 0
 */
public record TensorSite(String path, TensorTap.Side side, int position, int run) {

    /** Returns for instance {@code 01Conv2d input 0}. */
    @Override
    public String toString() {
        return path
                + (side == TensorTap.Side.INPUT ? " input " : " output ")
                + position
                + (run == 0 ? "" : ", run " + run);
    }
}
