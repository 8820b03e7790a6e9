/** Learned step size quantization, with and without learned offset. */
@NullMarked
package org.nni4j.algorithms.lsq;

import org.jspecify.annotations.NullMarked;
