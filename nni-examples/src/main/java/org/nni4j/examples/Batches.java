package org.nni4j.examples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;
import java.util.Iterator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Cuts an image set into normalised float batches.
 *
 * <p>Every batch lives on a sub-manager of its own. DJL attaches an operator's result to its
 * input's manager, so closing the batch after its step frees everything the step computed; with
 * batches on a longer-lived manager the intermediate arrays pile up and a step takes three times as
 * long.
 *
 * @param images the pictures
 * @param normalization how pixels become floats
 * @param batchSize pictures per batch; the last batch may be smaller
 * @param augmentation what happens to each picture
 */
record Batches(
        ImageSet images, Normalization normalization, int batchSize, Augmentation augmentation) {

    Batches {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch size " + batchSize + "; expected 1 or more");
        }
    }

    /** Returns the number of batches in a pass over all pictures. */
    int count() {
        return (images.size() + batchSize - 1) / batchSize;
    }

    /**
     * Returns one pass in the order of the files.
     *
     * @param manager the parent of the batches' managers
     */
    Iterable<Batch> inOrder(NDManager manager) {
        int[] order = IntStream.range(0, images.size()).toArray();
        return () -> new Pass(manager, order, new SplittableRandom(0));
    }

    /**
     * Returns one pass in random order; the same seed gives the same batches.
     *
     * @param manager the parent of the batches' managers
     * @param seed decides order and augmentation
     */
    Iterable<Batch> shuffled(NDManager manager, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] order = IntStream.range(0, images.size()).toArray();
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        return () -> new Pass(manager, order, random.split());
    }

    private final class Pass implements Iterator<Batch> {
        private final NDManager manager;
        private final int[] order;
        private final SplittableRandom random;
        private final float[][] table = normalization.table();
        private int next;

        Pass(NDManager manager, int[] order, SplittableRandom random) {
            this.manager = manager;
            this.order = order;
            this.random = random;
        }

        @Override
        public boolean hasNext() {
            return next < order.length;
        }

        @Override
        public Batch next() {
            int size = Math.min(batchSize, order.length - next);
            float[] data = new float[size * images.stride()];
            long[] labels = new long[size];
            for (int i = 0; i < size; i++) {
                int index = order[next + i];
                augmentation.write(images, index, table, random, data, i * images.stride());
                labels[i] = images.label(index);
            }
            next += size;
            return batch(data, labels);
        }

        private Batch batch(float[] data, long[] labels) {
            NDManager owner = manager.newSubManager();
            return new Batch(
                    owner,
                    new NDList(pictures(owner, data, labels.length)),
                    new NDList(owner.create(labels)),
                    labels.length,
                    Batchifier.STACK,
                    Batchifier.STACK,
                    next,
                    order.length);
        }

        /**
         * Makes the tensor of shape (batch, channels, height, width).
         *
         * <p>Colour pictures lie in memory pixel by pixel, all channels of one beside each other.
         * The engine then keeps that order through the whole network, and its convolutions need not
         * rearrange their inputs and outputs: a step of ResNet-20 takes about a sixth less time.
         */
        private NDArray pictures(NDManager owner, float[] data, int count) {
            int channels = images.channels();
            int height = images.height();
            int width = images.width();
            if (channels == 1) {
                return owner.create(data, new Shape(count, 1, height, width));
            }
            NDArray byPixel =
                    owner.create(byPixel(data), new Shape(count, height, width, channels));
            return byPixel.transpose(0, 3, 1, 2);
        }

        /** Reorders pictures from channel, row, column to row, column, channel. */
        private float[] byPixel(float[] data) {
            int channels = images.channels();
            int area = images.height() * images.width();
            float[] reordered = new float[data.length];
            for (int start = 0; start < data.length; start += images.stride()) {
                for (int c = 0; c < channels; c++) {
                    for (int pixel = 0; pixel < area; pixel++) {
                        reordered[start + pixel * channels + c] = data[start + c * area + pixel];
                    }
                }
            }
            return reordered;
        }
    }
}
