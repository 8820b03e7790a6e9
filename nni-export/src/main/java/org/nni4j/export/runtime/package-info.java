/** How does an ONNX model run? ONNX Runtime sessions, what they optimize a model to, and timing. */
@NullMarked
package org.nni4j.export.runtime;

import org.jspecify.annotations.NullMarked;
