package org.nni4j.graph;

/**
 * A BatchNorm that stays as it is, and why.
 *
 * @param batchNorm the dotted path of the BatchNorm layer, or of the layer a functional one ran
 *     under
 * @param batchNormNode the normalization
 * @param reason for a reader, for instance {@code the output of 01Conv2d.Conv1 is also read by
 *     03Add.Add1}
 */
public record FoldRefusal(String batchNorm, Node batchNormNode, String reason) {

    /** Returns {@code 02BatchNorm: reason}. */
    @Override
    public String toString() {
        return batchNorm + ": " + reason;
    }
}
