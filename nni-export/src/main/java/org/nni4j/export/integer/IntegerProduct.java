package org.nni4j.export.integer;

import org.nni4j.graph.Node;

/**
 * A convolution or linear layer that multiplies integers.
 *
 * @param node the operator
 * @param site where the fake-quantized network quantizes its input
 * @param input how that maps to integers
 * @param weight the weight's integers, output channels first, then input channels with those that
 *     were added; shared, not to be changed
 * @param addedChannels how many input channels of zeros the model has behind the network's own
 */
public record IntegerProduct(
        Node node, TensorSite site, TensorCodes input, int[] weight, int addedChannels) {}
