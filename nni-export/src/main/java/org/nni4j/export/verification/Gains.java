package org.nni4j.export.verification;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What the integer model is worth, measured on this machine.
 *
 * @param floatBytes size of the float ONNX file
 * @param integerBytes size of the integer one
 * @param threads of ONNX Runtime
 * @param batches by batch size; empty if nothing was timed
 */
public record Gains(long floatBytes, long integerBytes, int threads, List<Batch> batches) {

    /**
     * Medians; the two models in ONNX Runtime took turns.
     *
     * @param size samples at once
     * @param djl milliseconds of the float network in DJL, with the engine's own threads
     * @param floating milliseconds of the float model in ONNX Runtime
     * @param integer milliseconds of the integer model in ONNX Runtime
     * @param bestFloating milliseconds of the float model's fastest run, which other programs
     *     disturbed least
     * @param bestInteger milliseconds of the integer model's fastest run
     * @param runs how many of the integer model
     */
    public record Batch(
            int size,
            double djl,
            double floating,
            double integer,
            double bestFloating,
            double bestInteger,
            int runs) {

        /**
         * Returns how much faster the integer model is than the float one, both in ONNX Runtime.
         *
         * @return above 1 if it is faster
         */
        public double speedup() {
            return floating / integer;
        }

        private String line() {
            return String.format(
                    Locale.ROOT,
                    "  batch %-4d %9.3f ms float in DJL, %9.3f float, %9.3f int8: %.2f times as"
                            + " fast as float, %,.0f samples a second, float %,.0f (medians of %d;"
                            + " fastest runs %.3f and %.3f: %.2f times)",
                    size,
                    djl,
                    floating,
                    integer,
                    speedup(),
                    1000 * size / integer,
                    1000 * size / floating,
                    runs,
                    bestFloating,
                    bestInteger,
                    bestFloating / bestInteger);
        }
    }

    /** Copies the list. */
    public Gains {
        batches = List.copyOf(batches);
    }

    /**
     * Returns how much smaller the integer model's file is.
     *
     * @return above 1 if it is smaller
     */
    public double shrinkage() {
        return floatBytes / (double) integerBytes;
    }

    @Override
    public String toString() {
        String size =
                String.format(
                        Locale.ROOT,
                        "  file %,d bytes in float, %,d in int8: %.2f times smaller",
                        floatBytes,
                        integerBytes,
                        shrinkage());
        String head = "measured with " + threads + (threads == 1 ? " thread" : " threads");
        return head
                + System.lineSeparator()
                + size
                + batches.stream()
                        .map(b -> System.lineSeparator() + b.line())
                        .collect(Collectors.joining());
    }
}
