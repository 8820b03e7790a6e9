/**
 * What did quantization find out? The calibration config, written beside an exported model and read
 * back.
 */
@NullMarked
package org.nni4j.calibration;

import org.jspecify.annotations.NullMarked;
