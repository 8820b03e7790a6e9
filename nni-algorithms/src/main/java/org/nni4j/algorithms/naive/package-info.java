/** The simplest quantizer there is: 8-bit weights by their largest magnitude. */
@NullMarked
package org.nni4j.algorithms.naive;

import org.jspecify.annotations.NullMarked;
