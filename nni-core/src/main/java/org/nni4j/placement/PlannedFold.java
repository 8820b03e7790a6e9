package org.nni4j.placement;

/**
 * A BatchNorm that will be folded into the layer before it.
 *
 * @param layer path of the convolution or linear layer
 * @param batchNorm path of the BatchNorm
 * @param epsilon what the BatchNorm adds to the variance
 * @param freezeStep from this step on training uses the running statistics and leaves them alone; 0
 *     for never
 */
public record PlannedFold(String layer, String batchNorm, float epsilon, long freezeStep) {}
