package org.nni4j.export;

import java.util.Locale;

/**
 * What became of a dynamically quantized model: what was written, and how it compares with the one
 * in DJL. {@link #toString} prints it.
 *
 * @param export what was written
 * @param values how many output values were compared, in ONNX Runtime with one thread and without
 *     its optimizations
 * @param differing how many of them are further apart than float32's last bits
 * @param mean the mean distance
 * @param largest the largest distance
 * @param range the largest output less the smallest, over all samples
 */
public record DynamicReport(
        OnnxExport export, long values, long differing, double mean, double largest, double range) {

    /**
     * Distances up to this, relative to the largest magnitude, are the last bits of float32: sums
     * in another order, and sigmoid and tanh by other approximations.
     */
    static final double LAST_BITS = 1e-5;

    /** The steps of eight bits. */
    private static final int STEPS = 255;

    /**
     * Tells whether the model computes what it does in DJL. Where a value lies in the middle
     * between two integers, last bits before it decide which one it becomes, and then those behind
     * it differ too: so single values may, by up to a 255th of the outputs' range, and on average
     * by a tenth of that.
     *
     * @return false if something else is computed
     */
    public boolean isVerified() {
        double step = range / STEPS;
        return values > 0 && largest <= step && mean <= step / 10;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s, %,d bytes, opset %d%n%s: %d of %d output values differ by more than last bits;"
                        + " at most %.2e, on average %.2e, of a range of %.3g",
                export.file(),
                export.bytes(),
                export.opset(),
                isVerified() ? "verified" : "NOT VERIFIED",
                differing,
                values,
                largest,
                mean,
                range);
    }
}
