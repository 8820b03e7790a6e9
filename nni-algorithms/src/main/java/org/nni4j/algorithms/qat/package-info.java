/**
 * Quantization-aware training: min/max weights, moving-average activations, straight-through
 * gradients.
 */
@NullMarked
package org.nni4j.algorithms.qat;

import org.jspecify.annotations.NullMarked;
