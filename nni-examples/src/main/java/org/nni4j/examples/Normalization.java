package org.nni4j.examples;

/**
 * Mean and deviation of each channel over pixels in [0, 1]; a network sees {@code (pixel - mean) /
 * deviation}.
 *
 * @param mean one value per channel
 * @param deviation one positive value per channel
 */
record Normalization(float[] mean, float[] deviation) {

    /** LeCun's MNIST training set. */
    static final Normalization MNIST =
            new Normalization(new float[] {0.1307f}, new float[] {0.3081f});

    /** Krizhevsky's CIFAR-10 training set: red, green, blue. */
    static final Normalization CIFAR10 =
            new Normalization(
                    new float[] {0.4914f, 0.4822f, 0.4465f},
                    new float[] {0.2470f, 0.2435f, 0.2616f});

    /** Returns the value of each of the 256 pixel levels for each channel. */
    float[][] table() {
        float[][] table = new float[mean.length][256];
        for (int c = 0; c < mean.length; c++) {
            for (int level = 0; level < 256; level++) {
                table[c][level] = (level / 255f - mean[c]) / deviation[c];
            }
        }
        return table;
    }
}
