/** How are dynamically quantized layers written? With ONNX Runtime's dynamic integer operators. */
@NullMarked
package org.nni4j.export.dynamic;

import org.jspecify.annotations.NullMarked;
