/** DoReFa-Net: weights, inputs and outputs of 1 to 8 bits. */
@NullMarked
package org.nni4j.algorithms.dorefa;

import org.jspecify.annotations.NullMarked;
