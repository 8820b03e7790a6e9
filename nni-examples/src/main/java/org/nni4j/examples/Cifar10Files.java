package org.nni4j.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads the CIFAR-10 binary layout, {@code cifar-10-batches-bin}: files of records, each one label
 * byte and 3×32×32 pixel bytes.
 *
 * <p>Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, <a
 * href="https://www.cs.toronto.edu/~kriz/cifar.html">the data set's page</a>.
 */
final class Cifar10Files {
    static final int CLASSES = 10;

    private static final int CHANNELS = 3;
    private static final int SIDE = 32;
    private static final int PIXELS = CHANNELS * SIDE * SIDE;
    private static final int RECORD = 1 + PIXELS;
    private static final List<String> TRAINING_FILES =
            List.of(
                    "data_batch_1.bin",
                    "data_batch_2.bin",
                    "data_batch_3.bin",
                    "data_batch_4.bin",
                    "data_batch_5.bin");

    private Cifar10Files() {}

    /** Reads the training set: 50,000 pictures in the original files. */
    static ImageSet readTraining(Path folder) {
        return read(folder, TRAINING_FILES);
    }

    /** Reads the test set: 10,000 pictures in the original file. */
    static ImageSet readTest(Path folder) {
        return read(folder, List.of("test_batch.bin"));
    }

    private static ImageSet read(Path folder, List<String> names) {
        long total = names.stream().mapToLong(name -> records(folder.resolve(name))).sum();
        byte[] pixels = new byte[Math.toIntExact(total * PIXELS)];
        byte[] labels = new byte[Math.toIntExact(total)];
        int next = 0;
        for (String name : names) {
            Path file = folder.resolve(name);
            byte[] content = content(file);
            for (int start = 0; start < content.length; start += RECORD) {
                labels[next] = checkedLabel(content[start], file, start);
                System.arraycopy(content, start + 1, pixels, next * PIXELS, PIXELS);
                next++;
            }
        }
        return new ImageSet(pixels, labels, CHANNELS, SIDE, SIDE);
    }

    private static long records(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new InputException(
                    file + ": no such file; expected the cifar-10-batches-bin layout");
        }
        try {
            long bytes = Files.size(file);
            if (bytes == 0 || bytes % RECORD != 0) {
                throw new InputException(
                        String.format(
                                "%s: %d bytes; expected a positive multiple of %d",
                                file, bytes, RECORD));
            }
            return bytes / RECORD;
        } catch (IOException e) {
            throw InputException.unreadable(file, e);
        }
    }

    private static byte[] content(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw InputException.unreadable(file, e);
        }
    }

    private static byte checkedLabel(byte label, Path file, int start) {
        if (label < 0 || label >= CLASSES) {
            throw new InputException(
                    String.format(
                            "%s: label %d in record %d; expected 0..%d",
                            file, label & 0xff, start / RECORD, CLASSES - 1));
        }
        return label;
    }
}
