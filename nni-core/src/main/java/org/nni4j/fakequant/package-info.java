/**
 * What sits in the network while it trains? Layer wrappers, the parameter view and BatchNorm
 * folding.
 */
@NullMarked
package org.nni4j.fakequant;

import org.jspecify.annotations.NullMarked;
