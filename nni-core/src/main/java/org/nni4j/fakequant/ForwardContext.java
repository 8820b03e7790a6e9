package org.nni4j.fakequant;

import ai.djl.Device;
import ai.djl.training.ParameterStore;

/**
 * What a quantizer may know of the forward pass it runs in. Each call of a layer has a new one, the
 * same object for all tensors of that call.
 *
 * @param training true in a training forward: ranges are tracked and gradients flow
 * @param quantizing false before the start step: the tensor must come back unchanged, though ranges
 *     are tracked
 * @param step 1 + completed optimizer steps
 * @param parameterStore gives learned parameters ({@code getValue}), which join the trainer's
 *     optimizer by it
 * @param device where the pass runs
 */
public record ForwardContext(
        boolean training,
        boolean quantizing,
        long step,
        ParameterStore parameterStore,
        Device device) {}
