package org.nni4j.benchmarks;

import ai.djl.ndarray.NDArray;
import org.nni4j.quantization.QuantizationDtype;
import org.nni4j.quantization.QuantizationKernels;
import org.nni4j.quantization.QuantizationParameters;
import org.nni4j.quantization.QuantizationScheme;
import org.nni4j.quantization.QuantizedType;

/** What is done to a tensor of shape {@code (64, 64, 32, 32)}, whose channels are axis 1. */
public enum KernelOperation {
    /** A product with one: a plain copy, and one of the gradient; DJL's own copy passes none. */
    COPY("copy"),
    /** Fake-quantization with a scale and zero point. */
    FAKE_QUANTIZE("fake-quantize, per tensor"),
    /** Fake-quantization with a scale and zero point per channel. */
    FAKE_QUANTIZE_CHANNELS("fake-quantize, per channel"),
    /** Tracking a range, and fake-quantization by it: what QAT does to an input. */
    OBSERVE("track and fake-quantize, per tensor"),
    /** Fake-quantization by each channel's own range, and that range. */
    OBSERVE_CHANNELS("find range and fake-quantize, per channel"),
    /** LSQ. */
    LEARNED_STEP("LSQ, per tensor"),
    /** LSQ with a step size per channel. */
    LEARNED_STEP_CHANNELS("LSQ, per channel"),
    /** DoReFa's activations. */
    UNIT_QUANTIZE("DoReFa, inputs"),
    /** DoReFa's weights. */
    TANH_QUANTIZE("DoReFa, weights"),
    /** PACT. */
    CLIPPED_QUANTIZE("PACT, inputs"),
    /** BNN. */
    BINARIZE("BNN");

    private static final int PER_TENSOR = QuantizationParameters.PER_TENSOR;
    private static final int CHANNELS = 1;
    private static final int BITS = 4;

    private final String title;

    KernelOperation(String title) {
        this.title = title;
    }

    /** Returns the name for people. */
    String title() {
        return title;
    }

    /** Computes the forward; the result is owned by x's manager. */
    NDArray apply(QuantizationKernels kernels, KernelInputs in, NDArray x) {
        return switch (this) {
            case COPY -> x.mul(in.one());
            case FAKE_QUANTIZE ->
                    kernels.fakeQuantize(x, in.scale(), in.zeroPoint(), -127, 127, PER_TENSOR);
            case FAKE_QUANTIZE_CHANNELS ->
                    kernels.fakeQuantize(x, in.scales(), in.zeroPoints(), -127, 127, CHANNELS);
            case OBSERVE ->
                    kernels.observe(
                                    x,
                                    in.min(),
                                    in.max(),
                                    0.99,
                                    new QuantizedType(8, QuantizationDtype.UINT),
                                    QuantizationScheme.PER_TENSOR_AFFINE,
                                    PER_TENSOR)
                            .value();
            case OBSERVE_CHANNELS ->
                    kernels.observe(
                                    x,
                                    new QuantizedType(8, QuantizationDtype.INT),
                                    QuantizationScheme.PER_CHANNEL_SYMMETRIC,
                                    CHANNELS)
                            .value();
            case LEARNED_STEP -> kernels.learnedStep(x, in.step(), -7, 7, PER_TENSOR, 0.01);
            case LEARNED_STEP_CHANNELS -> kernels.learnedStep(x, in.steps(), -7, 7, CHANNELS, 0.01);
            case UNIT_QUANTIZE -> kernels.unitQuantize(x, BITS);
            case TANH_QUANTIZE -> kernels.tanhQuantize(x, BITS, true);
            case CLIPPED_QUANTIZE -> kernels.clippedQuantize(x, in.step(), BITS);
            case BINARIZE -> kernels.binarize(x, true);
        };
    }
}
