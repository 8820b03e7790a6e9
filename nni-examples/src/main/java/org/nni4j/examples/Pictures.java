package org.nni4j.examples;

/**
 * What a network learns from.
 *
 * @param description said to the user and written to the report
 * @param training the training set
 * @param test the test set
 * @param normalization how pixels become floats
 * @param augmentation what happens to training pictures
 */
record Pictures(
        String description,
        ImageSet training,
        ImageSet test,
        Normalization normalization,
        Augmentation augmentation) {

    /** Returns these pictures with at most {@code count} in each set. */
    Pictures limitedTo(int count) {
        return new Pictures(
                description, training.first(count), test.first(count), normalization, augmentation);
    }

    Batches trainingBatches(int batchSize) {
        return new Batches(training, normalization, batchSize, augmentation);
    }

    /** Returns the first training pictures as they are, in batches. */
    Batches calibrationBatches(int count) {
        return new Batches(training.first(count), normalization, 100, Augmentation.NONE);
    }

    /** Returns the test set in batches; nothing is learned from them, so their size is ours. */
    Batches testBatches() {
        return new Batches(test, normalization, 500, Augmentation.NONE);
    }
}
