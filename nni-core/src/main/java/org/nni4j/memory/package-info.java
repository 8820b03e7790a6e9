/**
 * Where do the engine's arrays live? The native heap of the process, and what becomes of memory
 * that is freed.
 */
@NullMarked
package org.nni4j.memory;

import org.jspecify.annotations.NullMarked;
