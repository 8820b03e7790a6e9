package org.nni4j.export;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.nni4j.export.integer.FloatReasons.FloatLayer;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.export.verification.Gains;
import org.nni4j.export.verification.OutputComparison;
import org.nni4j.export.verification.Verification;

/**
 * What became of a quantized model: what was written, how much of it runs in integers, whether it
 * computes what was trained, and what is won. {@link #toString} prints it.
 *
 * @param export what was written
 * @param census what ONNX Runtime executes after its optimizations
 * @param floatLayers every operator that runs in float, and why
 * @param verification the comparison with the trained network
 * @param sevenBit whether the model was written with weights of seven bits
 * @param gains size and speed
 * @param notes what else the user should know, one line each
 */
public record ExportReport(
        OnnxExport export,
        OperatorCensus census,
        List<FloatLayer> floatLayers,
        Verification verification,
        boolean sevenBit,
        Gains gains,
        List<String> notes)
        implements ModelReport {

    /** Copies the lists. */
    public ExportReport {
        floatLayers = List.copyOf(floatLayers);
        notes = List.copyOf(notes);
    }

    /**
     * Tells whether the model computes what was trained.
     *
     * @return whether there are no {@link #problems()}
     */
    @Override
    public boolean isVerified() {
        return problems().isEmpty();
    }

    /**
     * Says what keeps the model from being verified. One with weights of seven bits was not
     * trained: operator by operator, the same model with the trained weights is compared, and the
     * written one's outputs have to keep the limits as well.
     *
     * @return one line each
     */
    public List<String> problems() {
        List<String> problems = new ArrayList<>(verification.problems());
        OutputComparison outputs = verification.sevenBit();
        Verification.Limits limits = verification.limits();
        if (sevenBit && !(outputs.largest() <= limits.outputSteps())) {
            problems.add(
                    String.format(
                            Locale.ROOT,
                            "with 7-bit weights, outputs are up to %.1f steps from the trained"
                                    + " network's; expected at most %.1f",
                            outputs.largest(),
                            limits.outputSteps()));
        }
        if (sevenBit && !(outputs.agreement() >= limits.agreement())) {
            problems.add(
                    String.format(
                            Locale.ROOT,
                            "with 7-bit weights, top-1 is the same for %.1f %% of the samples;"
                                    + " expected %.1f %%",
                            100 * outputs.agreement(),
                            100 * limits.agreement()));
        }
        return problems;
    }

    @Override
    public String toString() {
        String text =
                String.join(
                        System.lineSeparator(),
                        export.file() + ", opset " + export.opset() + weights(),
                        "executed: " + census,
                        FloatLayer.lines(floatLayers),
                        verification.toString(),
                        gains.toString());
        return Stream.concat(export.notes().stream(), notes.stream())
                .map(n -> System.lineSeparator() + "note: " + n)
                .collect(Collectors.joining("", text, ""));
    }

    private String weights() {
        if (!sevenBit) {
            return "";
        }
        return isVerified()
                ? ", weights of seven bits"
                : ", weights of seven bits, NOT VERIFIED: " + String.join("; ", problems());
    }
}
