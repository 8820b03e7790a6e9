/**
 * How is an ONNX file written? Types, tensors, attributes, the graph under construction, the file.
 */
@NullMarked
package org.nni4j.export.onnx;

import org.jspecify.annotations.NullMarked;
