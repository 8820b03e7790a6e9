package org.nni4j.export;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.nni4j.export.runtime.RuntimeTensor;
import org.nni4j.export.verification.FiniteRange;

/**
 * How far an output of a dynamically quantized ONNX model is from the one in DJL.
 *
 * @param output its name
 * @param integer whether its values are integers or booleans, which must be equal
 * @param values how many values were compared
 * @param differing how many of them are further apart than float32's last bits; of integers, how
 *     many are not equal
 * @param mean the mean distance; 0 for integers
 * @param largest the largest distance; 0 for integers
 * @param range the largest value less the smallest, of those that are finite; 0 for integers
 * @param magnitude the largest magnitude of a finite value; 0 for integers
 */
public record OutputDifference(
        String output,
        boolean integer,
        long values,
        long differing,
        double mean,
        double largest,
        double range,
        double magnitude) {

    /**
     * Distances up to this, relative to the largest magnitude, are the last bits of float32: sums
     * in another order, and sigmoid and tanh by other approximations.
     */
    private static final double LAST_BITS = 1e-5;

    /** The steps of eight bits. */
    private static final int STEPS = 255;

    static OutputDifference of(String output, RuntimeTensor expected, RuntimeTensor actual) {
        if (expected.type() != actual.type() || !Arrays.equals(expected.shape(), actual.shape())) {
            throw new OnnxExportException(
                    List.of(
                            "output \""
                                    + output
                                    + "\" is "
                                    + actual
                                    + " in ONNX Runtime; expected "
                                    + expected
                                    + ", as in DJL"));
        }
        return expected.type().isFloating()
                ? ofFloats(output, expected.floats(), actual.floats())
                : ofIntegers(output, expected, actual);
    }

    private static OutputDifference ofFloats(String output, float[] expected, float[] actual) {
        FiniteRange range = FiniteRange.of(List.of(expected));
        long differing = 0;
        double sum = 0;
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            // Infinities that are the same are no distance apart; their difference is NaN.
            double distance =
                    expected[i] == actual[i] ? 0 : Math.abs((double) expected[i] - actual[i]);
            differing += distance <= LAST_BITS * range.magnitude() ? 0 : 1;
            sum += distance;
            largest = Double.isNaN(distance) ? Double.NaN : Math.max(largest, distance);
        }
        return new OutputDifference(
                output,
                false,
                expected.length,
                differing,
                sum / Math.max(1, expected.length),
                largest,
                range.width(),
                range.magnitude());
    }

    private static OutputDifference ofIntegers(
            String output, RuntimeTensor expected, RuntimeTensor actual) {
        int width = expected.type().getNumOfBytes();
        int values = expected.data().remaining() / width;
        long differing = 0;
        for (int i = 0; i < values; i++) {
            ByteBuffer one = expected.data().slice(i * width, width);
            differing += one.equals(actual.data().slice(i * width, width)) ? 0 : 1;
        }
        return new OutputDifference(output, true, values, differing, 0, 0, 0, 0);
    }

    /**
     * Says what keeps the output from being called the same.
     *
     * <p>Where a value in the network lies in the middle between two integers, last bits before it
     * decide which one it becomes, and then those behind it differ too: so single values may, by up
     * to a 255th of the output's range, and on average by a tenth of that. One value alone has no
     * range, and several that hardly differ almost none, although they come out of the same sums as
     * any other: so the last bits of their magnitude are allowed in any case.
     *
     * @return empty if it is the same
     */
    Optional<String> problem() {
        if (integer) {
            return differing == 0 ? Optional.empty() : Optional.of(this + "; expected none");
        }
        double lastBits = LAST_BITS * magnitude;
        double mostAllowed = Math.max(range / STEPS, lastBits);
        double meanAllowed = Math.max(range / STEPS / 10, lastBits);
        // Not the other way round: NaN is a problem.
        boolean close = largest <= mostAllowed && mean <= meanAllowed;
        return close
                ? Optional.empty()
                : Optional.of(
                        String.format(
                                Locale.ROOT,
                                "%s; expected at most %.2e, on average %.2e%s",
                                this,
                                mostAllowed,
                                meanAllowed,
                                mostAllowed > lastBits
                                        ? ""
                                        : ", since these samples give it almost no range: compare"
                                                + " on more"));
    }

    @Override
    public String toString() {
        if (integer) {
            return String.format(
                    Locale.ROOT, "%s: %,d of %,d integers differ", output, differing, values);
        }
        return String.format(
                Locale.ROOT,
                "%s: %,d of %,d values differ by more than last bits; at most %.2e, on average"
                        + " %.2e, of a range of %.3g",
                output,
                differing,
                values,
                largest,
                mean,
                range);
    }
}
