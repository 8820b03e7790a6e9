package org.nni4j.export;

/** An exported model does not compute what was trained. */
public final class UnverifiedModelException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient ExportReport report;

    UnverifiedModelException(ExportReport report) {
        this(report, "optUnverified(true) writes it all the same");
    }

    UnverifiedModelException(ExportReport report, String advice) {
        super(
                "the ONNX model does not compute what was trained, and was not written: "
                        + String.join("; ", report.problems())
                        + "; "
                        + advice);
        this.report = report;
    }

    /**
     * Returns everything that was found.
     *
     * @return the report of the model that was not written
     */
    public ExportReport report() {
        return report;
    }
}
