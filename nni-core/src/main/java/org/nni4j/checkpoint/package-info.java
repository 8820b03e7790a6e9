/**
 * What does training need to go on exactly? The checkpoint, written and read, and an optimizer's
 * memory.
 */
@NullMarked
package org.nni4j.checkpoint;

import org.jspecify.annotations.NullMarked;
