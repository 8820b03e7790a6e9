/**
 * How does a user run it? Quantizers, the step-counting optimizer, checkpoints, export and restore.
 */
@NullMarked
package org.nni4j.compression;

import org.jspecify.annotations.NullMarked;
