/**
 * Dynamic quantization: int8 weights made ahead of time, the range of activations chosen on each
 * call.
 */
@NullMarked
package org.nni4j.algorithms.dynamic;

import org.jspecify.annotations.NullMarked;
