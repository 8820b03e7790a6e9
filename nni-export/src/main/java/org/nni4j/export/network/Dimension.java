package org.nni4j.export.network;

/**
 * A size, or another whole number of a graph, as a function of the batch size: {@code factor ·
 * batch + offset}.
 *
 * @param factor 0 for a number that does not follow the batch size
 * @param offset the number itself where the factor is 0
 */
public record Dimension(long factor, long offset) {

    /**
     * Makes a number that does not follow the batch size.
     *
     * @param size the number
     * @return the dimension
     */
    public static Dimension fixed(long size) {
        return new Dimension(0, size);
    }

    /* The line through what was seen at two batch sizes. */
    static Dimension through(long batch, long seen, long otherBatch, long otherSeen) {
        long rise = otherSeen - seen;
        long run = otherBatch - batch;
        if (rise % run != 0) {
            throw new BatchDependenceException(
                    "a number is "
                            + seen
                            + " at batch size "
                            + batch
                            + " and "
                            + otherSeen
                            + " at "
                            + otherBatch
                            + ", which is no multiple of it");
        }
        long factor = rise / run;
        return new Dimension(factor, seen - factor * batch);
    }

    /**
     * Tells whether it is the same for every batch size.
     *
     * @return whether the factor is 0
     */
    public boolean isFixed() {
        return factor == 0;
    }

    /**
     * Returns the number.
     *
     * @return the offset
     * @throws BatchDependenceException if it follows the batch size
     */
    public long size() {
        if (!isFixed()) {
            throw new BatchDependenceException("a number follows the batch size: " + this);
        }
        return offset;
    }

    /** Returns a number, or for instance {@code batch}, {@code 4*batch} or {@code batch-1}. */
    @Override
    public String toString() {
        if (isFixed()) {
            return Long.toString(offset);
        }
        String product = factor == 1 ? "batch" : factor + "*batch";
        return offset == 0 ? product : product + (offset > 0 ? "+" : "") + offset;
    }
}
