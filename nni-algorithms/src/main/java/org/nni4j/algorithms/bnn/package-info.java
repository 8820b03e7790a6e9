/** Binarized neural networks: weights, inputs and outputs of 1 bit. */
@NullMarked
package org.nni4j.algorithms.bnn;

import org.jspecify.annotations.NullMarked;
