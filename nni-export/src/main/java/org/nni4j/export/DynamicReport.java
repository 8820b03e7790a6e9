package org.nni4j.export;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.nni4j.export.integer.FloatReasons.FloatLayer;
import org.nni4j.export.runtime.OperatorCensus;
import org.nni4j.export.verification.Gains;

/**
 * What became of a dynamically quantized model: what was written, how much of it runs in integers,
 * how it compares with the one in DJL, and what is won. {@link #toString} prints it.
 *
 * @param export what was written
 * @param census what ONNX Runtime executes after its optimizations
 * @param floatLayers every operator that runs in float, and why
 * @param outputs each output's distance from the one in DJL, in ONNX Runtime with one thread and
 *     without its optimizations
 * @param gains size and speed
 * @param notes what else the user should know, one line each
 */
public record DynamicReport(
        OnnxExport export,
        OperatorCensus census,
        List<FloatLayer> floatLayers,
        List<OutputDifference> outputs,
        Gains gains,
        List<String> notes)
        implements ModelReport {

    /** Copies the lists. */
    public DynamicReport {
        floatLayers = List.copyOf(floatLayers);
        outputs = List.copyOf(outputs);
        notes = List.copyOf(notes);
    }

    /**
     * Returns how many output values were compared.
     *
     * @return over all outputs
     */
    public long values() {
        return outputs.stream().mapToLong(OutputDifference::values).sum();
    }

    /**
     * Returns how many output values differ by more than float32's last bits.
     *
     * @return over all outputs
     */
    public long differing() {
        return outputs.stream().mapToLong(OutputDifference::differing).sum();
    }

    /**
     * Tells whether the model computes what it does in DJL: integers are equal, and floats so close
     * that at most single values before them fell to another integer.
     *
     * @return whether there are no {@link #problems()}
     */
    @Override
    public boolean isVerified() {
        return problems().isEmpty();
    }

    /**
     * Says what keeps the model from being verified.
     *
     * @return one line each
     */
    public List<String> problems() {
        return values() == 0
                ? List.of("the outputs have no values to compare")
                : outputs.stream()
                        .map(OutputDifference::problem)
                        .flatMap(Optional::stream)
                        .toList();
    }

    @Override
    public String toString() {
        Stream<String> lines =
                Stream.of(
                                Stream.of(
                                        export.file() + ", opset " + export.opset(),
                                        "executed: " + census,
                                        FloatLayer.lines(floatLayers),
                                        verdict()),
                                outputs.stream().map(output -> "  " + output),
                                Stream.of(gains.toString()),
                                notes.stream().map(note -> "note: " + note))
                        .flatMap(part -> part);
        return lines.collect(Collectors.joining(System.lineSeparator()));
    }

    private String verdict() {
        return String.format(
                Locale.ROOT,
                "%s: %d of %d output values differ by more than last bits",
                isVerified() ? "verified" : "NOT VERIFIED",
                differing(),
                values());
    }
}
