package org.nni4j.export.operator;

/**
 * Something of the network that cannot be exported.
 *
 * @param where the operator or value, by its name in the trace
 * @param what why not
 */
public record EmissionProblem(String where, String what) {

    /** Returns {@code where: what}. */
    @Override
    public String toString() {
        return where + ": " + what;
    }
}
