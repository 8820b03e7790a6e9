package org.nni4j.export.verification;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;

/**
 * Samples in parts, since what a network computes for all of them at once may be more than memory
 * holds.
 *
 * @param samples inputs of a network; as many rows in each where there is more than one part
 * @param rows of a part; the last one has those that are left over, too
 * @param count of the parts
 */
public record SampleParts(NDList samples, int rows, int count) {

    /**
     * All at once.
     *
     * @param samples inputs of a network, of any shapes
     * @return one part
     */
    public static SampleParts whole(NDList samples) {
        return new SampleParts(samples, Integer.MAX_VALUE, 1);
    }

    /**
     * Some rows at a time. None has a single row unless that is all there is: at batch size 1 a
     * network may lose an axis that it has at all others.
     *
     * @param samples inputs of a network, batch first, of one batch size
     * @param rows of a part; taken as 2 if less
     * @return the parts
     */
    public static SampleParts of(NDList samples, long rows) {
        long all = samples.head().size(0);
        int some = (int) Math.max(2, Math.min(rows, all));
        return new SampleParts(samples, some, (int) Math.max(1, all / some));
    }

    /**
     * Returns some rows of every array.
     *
     * @param arrays of at least one axis each
     * @param from the first row
     * @param to the row behind the last
     * @param scope owns the result
     * @return a copy or a view
     */
    public static NDList rows(NDList arrays, long from, long to, NDManager scope) {
        NDList rows = new NDList();
        for (NDArray array : arrays) {
            NDArray some = array.get(scope, new NDIndex(from + ":" + to));
            some.attach(scope);
            rows.add(some);
        }
        return rows;
    }

    /** One part, owned by the scope. */
    NDList part(int index, NDManager scope) {
        if (count == 1) {
            NDList views = new NDList();
            for (NDArray sample : samples) {
                NDArray view = sample.reshape(sample.getShape());
                view.attach(scope);
                views.add(view);
            }
            return views;
        }
        long from = (long) index * rows;
        long to = index == count - 1 ? samples.head().size(0) : from + rows;
        return rows(samples, from, to, scope);
    }
}
