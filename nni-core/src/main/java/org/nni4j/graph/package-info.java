/** How do tensors flow? The operator graph of one traced forward pass, and patterns in it. */
@NullMarked
package org.nni4j.graph;

import org.jspecify.annotations.NullMarked;
