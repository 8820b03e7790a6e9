package org.nni4j.examples;

/**
 * What an example does where the user does not say.
 *
 * @param configPrefix the first part of the names of its configs, for instance {@code mnist}
 * @param floatEpochs epochs in float
 * @param epochs epochs of the quantized network
 * @param floatRate peak learning rate in float
 * @param rate peak learning rate of the quantized network
 * @param weightDecay for both
 * @param threads of the engine; more than one does not help a small network, makes its last digits
 *     depend on their number, and waits long where other programs run
 */
record ExampleDefaults(
        String configPrefix,
        int floatEpochs,
        int epochs,
        float floatRate,
        float rate,
        float weightDecay,
        int threads) {}
