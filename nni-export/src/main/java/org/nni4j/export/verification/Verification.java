package org.nni4j.export.verification;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What the comparison of an exported model with the trained one found.
 *
 * @param cut every operator by itself, on the trained network's own integers, with ONNX Runtime's
 *     optimizations off: by tensor, what became of the integers
 * @param cutOutputs the same for the network's outputs, which no operator behind them quantizes
 * @param cutOutputSteps how far those outputs may be apart, in steps
 * @param whole all tensors of the whole model, optimizations off, where a step in one tensor moves
 *     those behind it
 * @param session the outputs in a default session
 * @param sevenBit the outputs in a default session of the model with weights of seven bits
 * @param saturation what a processor without VNNI would do to the model
 * @param sevenBitSaturation what it would do to the one with weights of seven bits
 * @param limits what was asked for
 */
public record Verification(
        Map<String, CodeComparison> cut,
        OutputComparison cutOutputs,
        double cutOutputSteps,
        CodeComparison whole,
        OutputComparison session,
        OutputComparison sevenBit,
        Saturation saturation,
        Saturation sevenBitSaturation,
        Limits limits) {

    /**
     * What a model must keep to be called verified.
     *
     * @param differing share of the integers of a tensor that may be one step apart, 0..1: the sums
     *     before them are added in another order, and the bias is an integer, so that a value near
     *     the middle between two integers may fall to the other side
     * @param outputSteps how far outputs may be apart in a default session, in steps of 1/255 of
     *     their range: there, the runtime computes with integers between the tensors too. Given the
     *     trained network's integers, operators by themselves may be apart the 128th part of that
     * @param agreement share of the samples whose largest output must be the same, 0..1
     */
    public record Limits(double differing, double outputSteps, double agreement) {

        /* Half of the range an output has. Beyond that no limit says anything. */
        private static final double MOST_STEPS = 127.5;

        private static final double CUT_SHARE = 1.0 / 128;

        /**
         * The same for a network with fewer levels than eight bits have: a value that falls to the
         * other side moves the outputs by so much more, though not by more than half of their
         * range.
         */
        Limits forLevels(int levels) {
            double scaled = outputSteps * Math.max(1, 255.0 / Math.max(1, levels));
            return new Limits(
                    differing, Math.max(outputSteps, Math.min(scaled, MOST_STEPS)), agreement);
        }

        /*
         * The eighth part of a step with the standard limits. On the trained network's integers there are two differences. The
         * bias is an integer: rounding it moves a sum by half a product's scale, which is at most 1/(2·63·127) = 1/16,002 of the
         * largest product, as with fewer integers than 127 of the input and 63 of the weight the bias stays a float. And floats
         * are added in another order: about 1e-6 of the largest sum, the 4,000th part of a step. An output whose range is that
         * of one product would move by 255/16,002 = 1/63 of a step; most have the range of many. An eighth is eight times that.
         */
        double cutOutputSteps() {
            return outputSteps * CUT_SHARE;
        }

        /** Two in a hundred integers, sixteen steps, and nine samples in ten. */
        public static final Limits STANDARD = new Limits(0.02, 16, 0.9);
    }

    /** Copies the map. */
    public Verification {
        cut = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(cut));
    }

    /**
     * Sums up the operators judged by themselves.
     *
     * @return over all tensors
     */
    public CodeComparison cutTotal() {
        return cut.values().stream().reduce(CodeComparison.NONE, CodeComparison::plus);
    }

    /**
     * Tells whether the model computes what was trained.
     *
     * @return whether there are no {@link #problems()}
     */
    public boolean isVerified() {
        return problems().isEmpty();
    }

    /**
     * Says what keeps the model from being verified.
     *
     * @return one line each
     */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        cut.forEach(
                (name, codes) -> {
                    if (codes.more() > 0) {
                        problems.add(
                                name
                                        + ": integers are up to "
                                        + codes.most()
                                        + " steps from the trained network's; expected at most 1");
                    } else if (codes.differing() > limits.differing()) {
                        problems.add(
                                String.format(
                                        Locale.ROOT,
                                        "%s: %.2f %% of the integers are one step from the trained"
                                                + " network's; expected at most %.2f %%",
                                        name,
                                        100 * codes.differing(),
                                        100 * limits.differing()));
                    }
                });
        if (!(cutOutputs.largest() <= cutOutputSteps)) {
            problems.add(
                    String.format(
                            Locale.ROOT,
                            "outputs are up to %.3f steps from the trained network's, given its own"
                                    + " integers; expected at most %.3f",
                            cutOutputs.largest(),
                            cutOutputSteps));
        }
        if (!(session.largest() <= limits.outputSteps())) {
            problems.add(
                    String.format(
                            Locale.ROOT,
                            "outputs are up to %.1f steps from the trained network's; expected at"
                                    + " most %.1f",
                            session.largest(),
                            limits.outputSteps()));
        }
        if (!(session.agreement() >= limits.agreement())) {
            problems.add(
                    String.format(
                            Locale.ROOT,
                            "top-1 is the same for %.1f %% of the samples; expected %.1f %%",
                            100 * session.agreement(),
                            100 * limits.agreement()));
        }
        return problems;
    }

    /** Returns a few lines for people. */
    @Override
    public String toString() {
        String verdict =
                isVerified() ? "verified" : "NOT VERIFIED: " + String.join("; ", problems());
        return String.join(
                System.lineSeparator(),
                verdict + ", " + session.samples() + " samples",
                "  each operator, unoptimized   " + cutTotal(),
                "  the last ones' results       " + cutOutputs,
                "  whole model, unoptimized     " + whole,
                "  default session              " + session,
                "  with 7-bit weights           " + sevenBit,
                "  without VNNI, 8-bit weights  " + saturation,
                "  without VNNI, 7-bit weights  " + sevenBitSaturation);
    }
}
