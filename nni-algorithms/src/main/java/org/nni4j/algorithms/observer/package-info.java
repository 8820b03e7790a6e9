/** Post-training quantization: calibrated by observers, without training. */
@NullMarked
package org.nni4j.algorithms.observer;

import org.jspecify.annotations.NullMarked;
