package org.nni4j.export.dynamic;

import java.util.List;
import org.nni4j.calibration.TensorCalibration;
import org.nni4j.export.onnx.OnnxType;
import org.nni4j.export.onnx.TensorData;
import org.nni4j.quantization.AffineQuantization;

/**
 * A weight as int8.
 *
 * @param rows outputs
 * @param elements row by row
 * @param scale one, or one for each row
 */
record IntegerMatrix(int rows, byte[] elements, float[] scale) {

    /** Quantizes a weight {@code [rows, columns]} by its calibration. */
    static IntegerMatrix of(float[] weight, int rows, TensorCalibration calibration) {
        float[] scale = calibration.parameters().scale();
        int columns = weight.length / rows;
        byte[] elements = new byte[weight.length];
        for (int i = 0; i < weight.length; i++) {
            float s = scale[scale.length == 1 ? 0 : i / columns];
            elements[i] =
                    (byte)
                            AffineQuantization.quantize(
                                    weight[i],
                                    s,
                                    0,
                                    calibration.type().qmin(),
                                    calibration.type().qmax());
        }
        return new IntegerMatrix(rows, elements, scale);
    }

    private int columns() {
        return elements.length / rows;
    }

    /** The rows in groups of equal size, in another order of groups. */
    IntegerMatrix reordered(int[] order) {
        byte[] ordered = new byte[elements.length];
        float[] scales = scale.clone();
        int group = elements.length / order.length;
        int groupRows = rows / order.length;
        for (int g = 0; g < order.length; g++) {
            System.arraycopy(elements, order[g] * group, ordered, g * group, group);
            if (scale.length > 1) {
                System.arraycopy(scale, order[g] * groupRows, scales, g * groupRows, groupRows);
            }
        }
        return new IntegerMatrix(rows, ordered, scales);
    }

    /** Transposed to {@code [columns, rows]}, one after the other, with an axis for them or not. */
    static TensorData stacked(List<IntegerMatrix> matrices, boolean axis) {
        IntegerMatrix first = matrices.get(0);
        byte[] all = new byte[matrices.size() * first.elements.length];
        int next = 0;
        for (IntegerMatrix matrix : matrices) {
            for (int c = 0; c < first.columns(); c++) {
                for (int r = 0; r < first.rows; r++) {
                    all[next++] = matrix.elements[r * first.columns() + c];
                }
            }
        }
        return axis
                ? TensorData.bytes(OnnxType.INT8, all, matrices.size(), first.columns(), first.rows)
                : TensorData.bytes(OnnxType.INT8, all, first.columns(), first.rows);
    }

    /** One scale for each matrix or each of its rows, with an axis for the matrices or not. */
    static TensorData scales(List<IntegerMatrix> matrices, boolean axis) {
        int each = matrices.get(0).scale.length;
        float[] all = new float[matrices.size() * each];
        for (int i = 0; i < matrices.size(); i++) {
            System.arraycopy(matrices.get(i).scale, 0, all, i * each, each);
        }
        return TensorData.floats(all, dims(matrices.size(), each, axis));
    }

    /** As many zeros as scales. */
    static TensorData zeroPoints(List<IntegerMatrix> matrices) {
        int each = matrices.get(0).scale.length;
        return TensorData.bytes(
                OnnxType.INT8, new byte[matrices.size() * each], dims(matrices.size(), each, true));
    }

    /* A single scale is a vector of one with the axis, and a scalar without. */
    private static long[] dims(int matrices, int each, boolean axis) {
        if (axis) {
            return each == 1 ? new long[] {matrices} : new long[] {matrices, each};
        }
        return each == 1 ? new long[0] : new long[] {each};
    }
}
