/** Parameterized clipping activation: inputs and outputs clipped to a learned level. */
@NullMarked
package org.nni4j.algorithms.pact;

import org.jspecify.annotations.NullMarked;
