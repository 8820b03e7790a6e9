package org.nni4j.placement;

/**
 * A BatchNorm that stays as it is.
 *
 * @param batchNorm its path
 * @param reason why it is not folded, for instance {@code the output of 01Conv2d.Conv1 is also read
 *     by 03Add.Add1}
 */
public record UnfoldedBatchNorm(String batchNorm, String reason) {}
