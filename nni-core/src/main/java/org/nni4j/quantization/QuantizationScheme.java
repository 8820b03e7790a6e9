package org.nni4j.quantization;

/** How a range becomes scale and zero point, and how many of them a tensor has. */
public enum QuantizationScheme {
    /** One scale and one zero point for the tensor. */
    PER_TENSOR_AFFINE("per_tensor_affine", false, true),
    /** One scale for the tensor; the zero point is fixed by the number type. */
    PER_TENSOR_SYMMETRIC("per_tensor_symmetric", false, false),
    /** One scale and one zero point for each channel. */
    PER_CHANNEL_AFFINE("per_channel_affine", true, true),
    /** One scale for each channel; the zero point is fixed by the number type. */
    PER_CHANNEL_SYMMETRIC("per_channel_symmetric", true, false);

    private final String key;
    private final boolean perChannel;
    private final boolean affine;

    QuantizationScheme(String key, boolean perChannel, boolean affine) {
        this.key = key;
        this.perChannel = perChannel;
        this.affine = affine;
    }

    /**
     * Returns the spelling used in config lists.
     *
     * @return for instance {@code "per_tensor_affine"}
     */
    public String key() {
        return key;
    }

    /**
     * Tells whether each channel has its own scale.
     *
     * @return false for one scale per tensor
     */
    public boolean isPerChannel() {
        return perChannel;
    }

    /**
     * Tells whether the zero point follows the data.
     *
     * @return false if it is fixed by the number type
     */
    public boolean isAffine() {
        return affine;
    }
}
