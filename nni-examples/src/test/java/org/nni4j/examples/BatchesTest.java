package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.training.dataset.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BatchesTest {
    private static final Normalization PLAIN =
            new Normalization(new float[] {0}, new float[] {1 / 255f});

    /** Ten pictures of 1×2 pixels; picture i holds i and i + 100 and is of class i. */
    private static ImageSet pictures() {
        byte[] pixels = new byte[20];
        byte[] labels = new byte[10];
        for (int i = 0; i < 10; i++) {
            pixels[2 * i] = (byte) i;
            pixels[2 * i + 1] = (byte) (i + 100);
            labels[i] = (byte) i;
        }
        return new ImageSet(pixels, labels, 1, 1, 2);
    }

    private static Batches batches(int size) {
        return new Batches(pictures(), PLAIN, size, Augmentation.NONE);
    }

    private static List<Long> labels(Iterable<Batch> pass) {
        List<Long> labels = new ArrayList<>();
        for (Batch batch : pass) {
            for (long label : batch.getLabels().singletonOrThrow().toLongArray()) {
                labels.add(label);
            }
            batch.close();
        }
        return labels;
    }

    @Test
    void inOrder_lastBatch_isSmaller() {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<Integer> sizes = new ArrayList<>();
            for (Batch batch : batches(4).inOrder(manager)) {
                sizes.add(batch.getSize());
                batch.close();
            }

            assertThat(sizes).containsExactly(4, 4, 2);
            assertThat(batches(4).count()).isEqualTo(3);
        }
    }

    @Test
    void inOrder_pixels_areNormalizedAndStayWithTheirLabel() {
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : batches(10).inOrder(manager)) {
                float[] values = batch.getData().singletonOrThrow().toFloatArray();
                for (int i = 0; i < 10; i++) {
                    // a deviation of 1/255 undoes the division by 255, but for rounding
                    assertThat(values[2 * i]).isBetween(i - 1e-4f, i + 1e-4f);
                    assertThat(values[2 * i + 1]).isBetween(i + 100 - 1e-3f, i + 100 + 1e-3f);
                }
                batch.close();
            }
        }
    }

    /**
     * The order in memory is the engine's business: shape, values and a convolution's result are
     * those of the plain tensor.
     */
    @Test
    void inOrder_colourPictures_areTheTensorOfChannelRowColumn() {
        int pictures = 3;
        int stride = 3 * 4 * 5;
        byte[] pixels = new byte[pictures * stride];
        float[] expected = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) i;
            expected[i] = i;
        }
        ImageSet images = new ImageSet(pixels, new byte[pictures], 3, 4, 5);
        Normalization plain =
                new Normalization(new float[3], new float[] {1 / 255f, 1 / 255f, 1 / 255f});
        try (NDManager manager = NDManager.newBaseManager()) {
            Batches batches = new Batches(images, plain, pictures, Augmentation.NONE);
            Batch batch = batches.inOrder(manager).iterator().next();
            NDArray data = batch.getData().singletonOrThrow();
            NDArray same = batch.getManager().create(data.toFloatArray(), data.getShape());
            NDArray kernel = batch.getManager().arange(54f).reshape(2, 3, 3, 3);

            assertThat(data.getShape()).isEqualTo(new Shape(pictures, 3, 4, 5));
            // 255 times 1/255 is off by a rounding
            assertThat(data.toFloatArray()).containsExactly(expected, within(1e-4f));
            assertThat(data.get(2, 1, 3, 4).toFloatArray())
                    .containsExactly(same.get(2, 1, 3, 4).toFloatArray());
            // sums of 27 products below 54 · 179 in another order
            assertThat(convolve(data, kernel))
                    .containsExactly(convolve(same, kernel), within(0.05f));
            batch.close();
        }
    }

    private static float[] convolve(NDArray data, NDArray kernel) {
        return Conv2d.conv2d(data, kernel).singletonOrThrow().toFloatArray();
    }

    @Test
    void shuffled_sameSeed_givesTheSameColourPictures() {
        byte[] pixels = new byte[8 * 3 * 12 * 12];
        new Random(1).nextBytes(pixels);
        ImageSet images = new ImageSet(pixels, new byte[8], 3, 12, 12);
        Batches batches = new Batches(images, Normalization.CIFAR10, 4, Augmentation.CROP_AND_FLIP);
        try (NDManager manager = NDManager.newBaseManager()) {
            List<float[]> first = pictures(batches.shuffled(manager, 3));

            assertThat(pictures(batches.shuffled(manager, 3))).containsExactlyElementsOf(first);
            assertThat(pictures(batches.shuffled(manager, 4)).get(0)).isNotEqualTo(first.get(0));
        }
    }

    private static List<float[]> pictures(Iterable<Batch> pass) {
        List<float[]> pictures = new ArrayList<>();
        for (Batch batch : pass) {
            pictures.add(batch.getData().singletonOrThrow().toFloatArray());
            batch.close();
        }
        return pictures;
    }

    @Test
    void shuffled_onePass_showsEachPictureOnce() {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<Long> labels = labels(batches(3).shuffled(manager, 7));

            assertThat(labels).hasSize(10).doesNotHaveDuplicates();
        }
    }

    @Test
    void shuffled_sameSeed_givesTheSameOrderAndAnotherGivesAnother() {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<Long> labels = labels(batches(3).shuffled(manager, 7));

            assertThat(labels(batches(3).shuffled(manager, 7))).isEqualTo(labels);
            assertThat(labels(batches(3).shuffled(manager, 8))).isNotEqualTo(labels);
        }
    }

    @Test
    void next_batch_isOnAManagerOfItsOwn() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Batch batch = batches(3).inOrder(manager).iterator().next();

            assertThat(batch.getData().singletonOrThrow().getManager())
                    .isSameAs(batch.getManager())
                    .isNotSameAs(manager);
            batch.close();
            assertThat(manager.isOpen()).isTrue();
        }
    }

    @Test
    void constructor_batchSizeZero_throws() {
        assertThatThrownBy(() -> batches(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("batch size 0; expected 1 or more");
    }

    @Test
    void cropAndFlip_anyChance_showsPartOfThePictureOrItsMirrorImageOnBlack() {
        int side = 12;
        byte[] pixels = new byte[side * side];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (1 + i);
        }
        ImageSet images = new ImageSet(pixels, new byte[1], 1, side, side);
        float[][] table = {new float[256]};
        for (int level = 0; level < 256; level++) {
            table[0][level] = level;
        }
        for (long seed = 0; seed < 100; seed++) {
            float[] out = new float[side * side];
            Augmentation.CROP_AND_FLIP.write(images, 0, table, new SplittableRandom(seed), out, 0);
            assertThat(isCrop(out, pixels, side)).as("seed %d", seed).isTrue();
        }
    }

    private static boolean isCrop(float[] out, byte[] pixels, int side) {
        for (int down = -4; down <= 4; down++) {
            for (int right = -4; right <= 4; right++) {
                if (isCrop(out, pixels, side, down, right, false)
                        || isCrop(out, pixels, side, down, right, true)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isCrop(
            float[] out, byte[] pixels, int side, int down, int right, boolean mirror) {
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int row = y + down;
                int column = (mirror ? side - 1 - x : x) + right;
                boolean inside = row >= 0 && row < side && column >= 0 && column < side;
                int expected = inside ? pixels[row * side + column] & 0xff : 0;
                if (out[y * side + x] != expected) {
                    return false;
                }
            }
        }
        return true;
    }
}
