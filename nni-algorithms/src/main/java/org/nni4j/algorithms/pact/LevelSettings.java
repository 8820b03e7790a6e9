package org.nni4j.algorithms.pact;

/**
 * How a clipping level is learned.
 *
 * @param initial where it begins
 * @param decay the weight of its squared norm in the loss, times two: added to the gradient times
 *     the level
 * @param learningRateMultiple its learning rate, as a multiple of the optimizer's
 */
record LevelSettings(float initial, float decay, float learningRateMultiple) {}
