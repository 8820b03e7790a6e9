package org.nni4j.export;

import java.util.List;
import java.util.stream.Collectors;
import org.nni4j.export.integer.FloatReasons.FloatLayer;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.export.verification.Gains;
import org.nni4j.export.verification.Verification;

/**
 * What became of a quantized model: what was written, how much of it runs in integers, whether it
 * computes what was trained, and what is won. {@link #toString} prints it.
 *
 * @param export what was written
 * @param census what ONNX Runtime executes after its optimizations
 * @param floatLayers every operator that runs in float, and why
 * @param verification the comparison with the trained network
 * @param gains size and speed
 * @param notes what else the user should know, one line each
 */
public record ExportReport(
        OnnxExport export,
        OperatorCensus census,
        List<FloatLayer> floatLayers,
        Verification verification,
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
     * @return whether the verification found no problem
     */
    @Override
    public boolean isVerified() {
        return verification.isVerified();
    }

    @Override
    public String toString() {
        String floats =
                floatLayers.isEmpty()
                        ? "no operator runs in float"
                        : floatLayers.stream()
                                .map(
                                        f ->
                                                "  in float: "
                                                        + f.layer()
                                                        + " ("
                                                        + f.operators()
                                                        + "), "
                                                        + f.reason())
                                .collect(Collectors.joining(System.lineSeparator()));
        String text =
                String.join(
                        System.lineSeparator(),
                        export.file() + ", opset " + export.opset(),
                        "executed: " + census,
                        floats,
                        verification.toString(),
                        gains.toString());
        return notes.isEmpty()
                ? text
                : text
                        + System.lineSeparator()
                        + notes.stream()
                                .map(n -> "note: " + n)
                                .collect(Collectors.joining(System.lineSeparator()));
    }
}
