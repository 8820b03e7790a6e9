/**
 * How does a user run it? Compressor, quantizers, the step-counting optimizer, export and restore.
 */
@NullMarked
package org.nni4j.compression;

import org.jspecify.annotations.NullMarked;
