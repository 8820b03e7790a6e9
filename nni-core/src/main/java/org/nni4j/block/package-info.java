/**
 * Which operators have no block in DJL? Element-wise operators and products of several inputs, as
 * blocks.
 */
@NullMarked
package org.nni4j.block;

import org.jspecify.annotations.NullMarked;
