/**
 * What is in the network? Names, types and slots of its layers; attaching to a slot and restoring
 * it.
 */
@NullMarked
package org.nni4j.layer;

import org.jspecify.annotations.NullMarked;
