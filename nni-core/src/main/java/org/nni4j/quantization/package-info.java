/**
 * What is the arithmetic? Number types, schemes, scale and zero point, the one formula, and the
 * kernels that apply it.
 */
@NullMarked
package org.nni4j.quantization;

import org.jspecify.annotations.NullMarked;
