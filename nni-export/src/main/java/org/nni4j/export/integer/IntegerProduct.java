package org.nni4j.export.integer;

import org.nni4j.graph.Node;

/**
 * A convolution or linear layer that multiplies integers.
 *
 * @param node the operator
 * @param site where the fake-quantized network quantizes its input
 * @param input how that maps to integers
 * @param weight the weight's integers, output channels first; shared, not to be changed
 */
public record IntegerProduct(Node node, TensorSite site, TensorCodes input, int[] weight) {}
