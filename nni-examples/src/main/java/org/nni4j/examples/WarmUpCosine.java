package org.nni4j.examples;

import ai.djl.training.tracker.Tracker;

/**
 * A learning rate that rises linearly to its peak and falls to zero along half a cosine.
 *
 * <p>Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, eq.
 * 5, <a href="https://arxiv.org/abs/1608.03983">arXiv:1608.03983</a>, without restarts; the linear
 * rise is added.
 *
 * @param peak the highest rate
 * @param warmUpSteps steps of the rise, 0 for none
 * @param totalSteps all steps, more than {@code warmUpSteps}
 */
record WarmUpCosine(float peak, int warmUpSteps, int totalSteps) implements Tracker {

    WarmUpCosine {
        if (warmUpSteps < 0 || totalSteps <= warmUpSteps) {
            throw new IllegalArgumentException(
                    String.format(
                            "%d warm-up steps of %d; expected fewer", warmUpSteps, totalSteps));
        }
    }

    @Override
    public float getNewValue(int numUpdate) {
        if (numUpdate <= warmUpSteps) {
            return peak * numUpdate / warmUpSteps;
        }
        double done = (double) (numUpdate - warmUpSteps) / (totalSteps - warmUpSteps);
        return (float) (peak * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, done))));
    }
}
