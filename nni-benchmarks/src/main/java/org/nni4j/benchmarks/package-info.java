/** What does quantization cost? Programs that measure it, and no library code. */
@NullMarked
package org.nni4j.benchmarks;

import org.jspecify.annotations.NullMarked;
