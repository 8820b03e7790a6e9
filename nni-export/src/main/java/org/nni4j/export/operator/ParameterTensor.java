package org.nni4j.export.operator;

import com.google.common.base.Suppliers;
import java.util.function.Supplier;
import org.nni4j.export.onnx.TensorData;

/**
 * A float weight or bias as its ONNX operator takes it.
 *
 * @param name stable: the parameter's path, with a suffix where the layout is not the parameter's
 * @param dims sizes in the file
 * @param channelAxis the axis of the output channels in this layout
 * @param elements row by row in this layout; read when asked for
 */
public record ParameterTensor(
        String name, long[] dims, int channelAxis, Supplier<float[]> elements) {

    /** Remembers the elements. */
    public ParameterTensor {
        dims = dims.clone();
        elements = Suppliers.memoize(elements::get);
    }

    @Override
    public long[] dims() {
        return dims.clone();
    }

    /**
     * Returns it as float initializer data.
     *
     * @return the elements, copied
     */
    public TensorData data() {
        return TensorData.floats(elements.get(), dims);
    }
}
