package org.nni4j.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Draws handwritten-looking digits, 28×28, without fonts or a display: strokes under a random
 * wobble and affine map, of random thickness and brightness, with noise.
 *
 * <p>The same seed gives the same bytes on every machine: only {@code StrictMath} and exactly
 * rounded operations are used.
 */
final class SyntheticDigits {
    static final int SIDE = 28;

    private static final int ARC_POINTS = 14;
    private static final List<List<float[]>> STROKES = strokes();

    private final SplittableRandom random;

    private SyntheticDigits(long seed) {
        random = new SplittableRandom(seed);
    }

    /**
     * Draws a set with equally many pictures of each digit, as nearly as the count allows.
     *
     * @param count number of pictures
     * @param seed decides every pixel
     */
    static ImageSet draw(int count, long seed) {
        SyntheticDigits digits = new SyntheticDigits(seed);
        byte[] pixels = new byte[count * SIDE * SIDE];
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            int digit = i % STROKES.size();
            labels[i] = (byte) digit;
            digits.drawOne(digit, pixels, i * SIDE * SIDE);
        }
        return new ImageSet(pixels, labels, 1, SIDE, SIDE);
    }

    private void drawOne(int digit, byte[] pixels, int offset) {
        Hand hand = new Hand(random);
        List<float[]> strokes = new ArrayList<>();
        for (float[] stroke : STROKES.get(digit)) {
            strokes.add(hand.write(stroke));
        }
        double radius = uniform(0.6, 1.7);
        double softness = uniform(0.5, 1.3);
        double brightness = uniform(0.55, 1.0);
        double noise = uniform(0.02, 0.22);
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                double distance = distance(strokes, x + 0.5, y + 0.5);
                double ink = clamp((radius - distance) / softness + 0.5) * brightness;
                // the sum of three uniforms is near enough to a normal distribution
                double grain = noise * (uniform(-1, 1) + uniform(-1, 1) + uniform(-1, 1));
                pixels[offset++] = (byte) (int) (clamp(ink + grain) * 255);
            }
        }
    }

    private static double distance(List<float[]> strokes, double x, double y) {
        double nearest = Double.MAX_VALUE;
        for (float[] s : strokes) {
            for (int i = 0; i + 3 < s.length; i += 2) {
                nearest = Math.min(nearest, squared(x, y, s[i], s[i + 1], s[i + 2], s[i + 3]));
            }
        }
        return Math.sqrt(nearest);
    }

    /** Returns the squared distance of (x, y) from the segment (ax, ay)-(bx, by). */
    private static double squared(double x, double y, double ax, double ay, double bx, double by) {
        double dx = bx - ax;
        double dy = by - ay;
        double length = dx * dx + dy * dy;
        double along = length == 0 ? 0 : clamp(((x - ax) * dx + (y - ay) * dy) / length);
        double ex = x - ax - along * dx;
        double ey = y - ay - along * dy;
        return ex * ex + ey * ey;
    }

    private static double clamp(double value) {
        return Math.max(0, Math.min(1, value));
    }

    private double uniform(double low, double high) {
        return low + (high - low) * random.nextDouble();
    }

    /** One way of writing: how the unit square lands on the picture. */
    private static final class Hand {
        private final double[] matrix;
        private final double[] shift;
        private final double[] wobble;

        Hand(SplittableRandom random) {
            double angle = between(random, -0.35, 0.35);
            double shear = between(random, -0.3, 0.3);
            double width = between(random, 0.55, 1.0) * 20;
            double height = between(random, 0.65, 1.0) * 22;
            double cos = StrictMath.cos(angle);
            double sin = StrictMath.sin(angle);
            matrix =
                    new double[] {
                        cos * width, (cos * shear - sin) * height,
                        sin * width, (sin * shear + cos) * height
                    };
            shift =
                    new double[] {
                        SIDE / 2.0 + between(random, -3, 3), SIDE / 2.0 + between(random, -3, 3)
                    };
            wobble = new double[6];
            for (int i = 0; i < 6; i += 3) {
                wobble[i] = between(random, 0, 0.08);
                wobble[i + 1] = between(random, 2, 7);
                wobble[i + 2] = between(random, 0, 2 * Math.PI);
            }
        }

        float[] write(float[] stroke) {
            float[] out = new float[stroke.length];
            for (int i = 0; i < stroke.length; i += 2) {
                double x = stroke[i] - 0.5;
                double y = stroke[i + 1] - 0.5;
                double u = x + wobble[0] * StrictMath.sin(wobble[1] * y + wobble[2]);
                double v = y + wobble[3] * StrictMath.sin(wobble[4] * x + wobble[5]);
                out[i] = (float) (matrix[0] * u + matrix[1] * v + shift[0]);
                out[i + 1] = (float) (matrix[2] * u + matrix[3] * v + shift[1]);
            }
            return out;
        }

        private static double between(SplittableRandom random, double low, double high) {
            return low + (high - low) * random.nextDouble();
        }
    }

    /** Returns the strokes of each digit as points x, y in the unit square, y downwards. */
    private static List<List<float[]>> strokes() {
        return List.of(
                List.of(arc(.5, .5, .3, .42, 0, 360)),
                List.of(line(.35, .27, .55, .08, .55, .92)),
                List.of(arc(.5, .32, .25, .24, 180, 370), line(.74, .38, .25, .9, .78, .9)),
                List.of(arc(.47, .29, .24, .21, 210, 450), arc(.47, .71, .27, .22, 270, 510)),
                List.of(line(.62, .92, .62, .08, .2, .65, .84, .65)),
                List.of(line(.75, .1, .32, .1, .28, .47), arc(.48, .66, .27, .25, 225, 510)),
                List.of(line(.68, .08, .42, .33, .28, .67), arc(.5, .69, .23, .22, 0, 360)),
                List.of(line(.22, .12, .78, .12, .42, .92)),
                List.of(arc(.5, .28, .2, .19, 0, 360), arc(.5, .7, .25, .22, 0, 360)),
                List.of(arc(.49, .31, .23, .22, 0, 360), line(.72, .33, .68, .62, .5, .92)));
    }

    private static float[] line(double... points) {
        float[] out = new float[points.length];
        for (int i = 0; i < points.length; i++) {
            out[i] = (float) points[i];
        }
        return out;
    }

    /**
     * Returns part of an ellipse, from one angle to another in degrees, clockwise from the right.
     */
    private static float[] arc(double x, double y, double rx, double ry, double from, double to) {
        float[] out = new float[2 * ARC_POINTS];
        for (int i = 0; i < ARC_POINTS; i++) {
            double angle = StrictMath.toRadians(from + (to - from) * i / (ARC_POINTS - 1));
            out[2 * i] = (float) (x + rx * StrictMath.cos(angle));
            out[2 * i + 1] = (float) (y + ry * StrictMath.sin(angle));
        }
        return out;
    }
}
