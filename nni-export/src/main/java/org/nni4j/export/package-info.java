/** How does the model leave? One call writes an ONNX model, runs it and checks it. */
@NullMarked
package org.nni4j.export;

import org.jspecify.annotations.NullMarked;
