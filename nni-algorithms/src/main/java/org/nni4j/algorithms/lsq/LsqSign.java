package org.nni4j.algorithms.lsq;

import ai.djl.ndarray.NDArray;

/** Whether a tensor's integers go below zero. */
enum LsqSign {
    /** They do. */
    SIGNED,
    /** They do not. */
    UNSIGNED,
    /** They do if the first tensor does. */
    BY_DATA;

    boolean isSigned(NDArray first) {
        return this == SIGNED || (this == BY_DATA && StepSizes.hasNegative(first));
    }
}
