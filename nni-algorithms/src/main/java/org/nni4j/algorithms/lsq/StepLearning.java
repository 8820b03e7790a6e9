package org.nni4j.algorithms.lsq;

import org.nni4j.algorithm.PointSettings;
import org.nni4j.algorithm.QuantizationPoint;
import org.nni4j.config.QuantType;

/**
 * How fast the step sizes of one tensor are learned.
 *
 * @param rateMultiple their learning rate, as a multiple of the optimizer's
 * @param countsBatch whether the number of values in the gradient scale is that of all samples of a
 *     batch, or that of one sample
 */
record StepLearning(float rateMultiple, boolean countsBatch) {

    static final String RATE_MULTIPLE = "learning_rate_multiple";
    static final String COUNT_BATCH = "count_batch";
    private static final double SMALLEST_MULTIPLE = 1e-6;
    private static final double LARGEST_MULTIPLE = 1e6;

    /**
     * Reads the settings of an entry.
     *
     * @throws IllegalArgumentException naming the setting, what came and what is expected
     */
    static StepLearning of(QuantizationPoint point) {
        PointSettings settings = new PointSettings(point);
        double multiple = settings.number(RATE_MULTIPLE, 1, SMALLEST_MULTIPLE, LARGEST_MULTIPLE);
        boolean countBatch = settings.flag(COUNT_BATCH, true);
        // a weight has no batch
        return new StepLearning(
                (float) multiple, countBatch || point.quantType() == QuantType.WEIGHT);
    }
}
