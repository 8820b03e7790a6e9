package org.nni4j.export.operator;

import java.util.Arrays;
import java.util.stream.LongStream;

/** Padding of spatial axes in ONNX's order: all begins, then all ends. */
final class Paddings {

    private Paddings() {}

    static long[] bothSides(long[] padding) {
        return join(padding, padding);
    }

    static long[] join(long[] begins, long[] ends) {
        return LongStream.concat(Arrays.stream(begins), Arrays.stream(ends)).toArray();
    }
}
