package org.nni4j.examples;

import java.util.Arrays;

/**
 * Labelled pictures of one size, held as bytes: pixel 0 is black, 255 is white (or full colour).
 *
 * <p>The arrays are shared, not copied: a set is up to 150 MB. Nobody writes to them after
 * construction.
 */
final class ImageSet {
    private final byte[] pixels;
    private final byte[] labels;
    private final int channels;
    private final int height;
    private final int width;

    /**
     * Wraps pixels and labels.
     *
     * @param pixels picture after picture, each in the order channel, row, column
     * @param labels one class number per picture
     */
    ImageSet(byte[] pixels, byte[] labels, int channels, int height, int width) {
        if (pixels.length != (long) labels.length * channels * height * width) {
            throw new IllegalArgumentException(
                    String.format(
                            "%d pixel bytes for %d pictures of %dx%dx%d",
                            pixels.length, labels.length, channels, height, width));
        }
        this.pixels = pixels;
        this.labels = labels;
        this.channels = channels;
        this.height = height;
        this.width = width;
    }

    int size() {
        return labels.length;
    }

    int channels() {
        return channels;
    }

    int height() {
        return height;
    }

    int width() {
        return width;
    }

    /** Returns the number of bytes of one picture. */
    int stride() {
        return channels * height * width;
    }

    byte[] pixels() {
        return pixels;
    }

    int label(int index) {
        return labels[index] & 0xff;
    }

    /** Returns the first {@code count} pictures, or this set if it has no more. */
    ImageSet first(int count) {
        if (count >= size()) {
            return this;
        }
        return new ImageSet(
                Arrays.copyOf(pixels, count * stride()),
                Arrays.copyOf(labels, count),
                channels,
                height,
                width);
    }
}
