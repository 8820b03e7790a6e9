package org.nni4j.examples;

import java.util.SplittableRandom;

/**
 * Draws coloured shapes and patterns, 32×32, in ten classes: disc, square, triangle, ring, cross,
 * level stripes, upright stripes, slanting stripes, chequers, dots; random place, size and colours,
 * with noise.
 *
 * <p>The same seed gives the same bytes on every machine.
 */
final class SyntheticShapes {
    static final int SIDE = 32;
    static final int CLASSES = 10;

    private static final int CHANNELS = 3;

    private SyntheticShapes() {}

    /**
     * Draws a set with equally many pictures of each class, as nearly as the count allows.
     *
     * @param count number of pictures
     * @param seed decides every pixel
     */
    static ImageSet draw(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] pixels = new byte[count * CHANNELS * SIDE * SIDE];
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            labels[i] = (byte) (i % CLASSES);
            drawOne(labels[i], random, pixels, i * CHANNELS * SIDE * SIDE);
        }
        return new ImageSet(pixels, labels, CHANNELS, SIDE, SIDE);
    }

    private static void drawOne(int shape, SplittableRandom random, byte[] pixels, int offset) {
        double size = 7 + 6 * random.nextDouble();
        double cx = SIDE / 2.0 + 8 * (random.nextDouble() - 0.5);
        double cy = SIDE / 2.0 + 8 * (random.nextDouble() - 0.5);
        double noise = 10 + 40 * random.nextDouble();
        double[] front = colour(random);
        double[] back = colour(random);
        for (int c = 0; c < CHANNELS; c++) {
            // a shape that has its background's colour could not be seen
            if (c == 0) {
                front[c] = (back[c] + 100 + 56 * random.nextDouble()) % 256;
            }
            for (int y = 0; y < SIDE; y++) {
                for (int x = 0; x < SIDE; x++) {
                    boolean inside = inside(shape, (x - cx) / size, (y - cy) / size);
                    double level = inside ? front[c] : back[c];
                    level += noise * (random.nextDouble() + random.nextDouble() - 1);
                    pixels[offset++] = (byte) (int) Math.max(0, Math.min(255, level));
                }
            }
        }
    }

    private static double[] colour(SplittableRandom random) {
        return new double[] {
            256 * random.nextDouble(), 256 * random.nextDouble(), 256 * random.nextDouble()
        };
    }

    /** Tells whether (x, y) belongs to the shape; shapes reach from -1 to 1. */
    private static boolean inside(int shape, double x, double y) {
        double radius = Math.sqrt(x * x + y * y);
        boolean box = Math.abs(x) < 1 && Math.abs(y) < 1;
        return switch (shape) {
            case 0 -> radius < 1;
            case 1 -> box;
            case 2 -> Math.abs(y) < 1 && Math.abs(x) < (y + 1) / 2;
            case 3 -> radius < 1 && radius > 0.55;
            case 4 -> box && (Math.abs(x) < 0.3 || Math.abs(y) < 0.3);
            case 5 -> odd(2 * y);
            case 6 -> odd(2 * x);
            case 7 -> odd(1.5 * (x + y));
            case 8 -> odd(1.5 * x) ^ odd(1.5 * y);
            default -> fraction(x) * fraction(x) + fraction(y) * fraction(y) < 0.09;
        };
    }

    private static double fraction(double value) {
        return value - Math.floor(value) - 0.5;
    }

    private static boolean odd(double value) {
        return Math.floorMod((long) Math.floor(value), 2L) == 1;
    }
}
