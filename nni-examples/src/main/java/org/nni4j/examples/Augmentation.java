package org.nni4j.examples;

import java.util.SplittableRandom;

/** What happens to a training picture before the network sees it. */
enum Augmentation {
    /** The picture as it is. */
    NONE,
    /**
     * Four black pixels on each side, a random crop of the original size, and a mirror image every
     * other time: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section
     * 4.2, <a href="https://arxiv.org/abs/1512.03385">arXiv:1512.03385</a>.
     */
    CROP_AND_FLIP;

    private static final int PADDING = 4;

    /**
     * Writes one picture as floats.
     *
     * @param images where the picture comes from
     * @param index which picture
     * @param table value of each pixel level for each channel
     * @param random where chance comes from
     * @param out receives {@code images.stride()} floats
     * @param offset where they start
     */
    void write(
            ImageSet images,
            int index,
            float[][] table,
            SplittableRandom random,
            float[] out,
            int offset) {
        int down = 0;
        int right = 0;
        boolean mirror = false;
        if (this == CROP_AND_FLIP) {
            down = random.nextInt(2 * PADDING + 1) - PADDING;
            right = random.nextInt(2 * PADDING + 1) - PADDING;
            mirror = random.nextBoolean();
        }
        int height = images.height();
        int width = images.width();
        byte[] pixels = images.pixels();
        int target = offset;
        for (int c = 0; c < images.channels(); c++) {
            float[] levels = table[c];
            int plane = index * images.stride() + c * height * width;
            for (int y = 0; y < height; y++) {
                int row = y + down;
                for (int x = 0; x < width; x++) {
                    int column = (mirror ? width - 1 - x : x) + right;
                    boolean inside = row >= 0 && row < height && column >= 0 && column < width;
                    int level = inside ? pixels[plane + row * width + column] & 0xff : 0;
                    out[target++] = levels[level];
                }
            }
        }
    }
}
