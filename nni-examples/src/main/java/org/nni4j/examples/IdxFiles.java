package org.nni4j.examples;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * Reads MNIST in its own IDX format, plain or gzipped ({@code .gz}).
 *
 * <p>Big-endian: a magic number (0x0803 for pictures, 0x0801 for labels), the length of each axis,
 * the bytes. LeCun, Cortes and Burges, <a href="http://yann.lecun.com/exdb/mnist/">The MNIST
 * database of handwritten digits</a>.
 */
final class IdxFiles {
    static final int CLASSES = 10;

    private static final int PICTURES_MAGIC = 0x0803;
    private static final int LABELS_MAGIC = 0x0801;

    private IdxFiles() {}

    /** Reads {@code train-images-idx3-ubyte} and {@code train-labels-idx1-ubyte}. */
    static ImageSet readTraining(Path folder) {
        return read(folder, "train");
    }

    /** Reads {@code t10k-images-idx3-ubyte} and {@code t10k-labels-idx1-ubyte}. */
    static ImageSet readTest(Path folder) {
        return read(folder, "t10k");
    }

    private static ImageSet read(Path folder, String prefix) {
        Path picturesFile = locate(folder, prefix + "-images-idx3-ubyte");
        Path labelsFile = locate(folder, prefix + "-labels-idx1-ubyte");
        Idx pictures = read(picturesFile, PICTURES_MAGIC, 3);
        Idx labels = read(labelsFile, LABELS_MAGIC, 1);
        if (pictures.shape[0] != labels.shape[0]) {
            throw new InputException(
                    String.format(
                            "%s: %d labels for the %d pictures of %s",
                            labelsFile, labels.shape[0], pictures.shape[0], picturesFile));
        }
        checkLabels(labels.bytes, labelsFile);
        return new ImageSet(pictures.bytes, labels.bytes, 1, pictures.shape[1], pictures.shape[2]);
    }

    private static Path locate(Path folder, String name) {
        if (!Files.isDirectory(folder)) {
            throw new InputException(folder + ": no such folder");
        }
        for (String candidate : new String[] {name, name + ".gz"}) {
            Path file = folder.resolve(candidate);
            if (Files.isRegularFile(file)) {
                return file;
            }
        }
        throw new InputException(folder + ": holds neither " + name + " nor " + name + ".gz");
    }

    private static Idx read(Path file, int magic, int axes) {
        try (DataInputStream in = new DataInputStream(open(file))) {
            int found = in.readInt();
            if (found != magic) {
                throw new InputException(
                        String.format(
                                "%s: magic number 0x%04x; expected 0x%04x", file, found, magic));
            }
            int[] shape = new int[axes];
            long size = 1;
            for (int i = 0; i < axes; i++) {
                shape[i] = in.readInt();
                size = shape[i] < 1 ? -1 : Math.multiplyExact(size, (long) shape[i]);
                if (size < 1 || size > Integer.MAX_VALUE) {
                    throw new InputException(
                            String.format("%s: axis %d has length %d", file, i, shape[i]));
                }
            }
            return new Idx(shape, bytes(in, (int) size, file));
        } catch (EOFException e) {
            throw new InputException(file + ": truncated in the header or the compressed data");
        } catch (IOException e) {
            throw InputException.unreadable(file, e);
        }
    }

    private static byte[] bytes(InputStream in, int size, Path file) throws IOException {
        byte[] bytes = in.readNBytes(size);
        if (bytes.length < size) {
            throw new InputException(
                    String.format(
                            "%s: truncated; the header announces %d bytes, %d follow",
                            file, size, bytes.length));
        }
        if (in.read() >= 0) {
            throw new InputException(
                    String.format("%s: more than the %d bytes its header announces", file, size));
        }
        return bytes;
    }

    private static InputStream open(Path file) throws IOException {
        InputStream raw = new BufferedInputStream(Files.newInputStream(file));
        if (!file.toString().endsWith(".gz")) {
            return raw;
        }
        try {
            return new GZIPInputStream(raw, 1 << 16);
        } catch (IOException e) {
            raw.close();
            throw e;
        }
    }

    private static void checkLabels(byte[] labels, Path file) {
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] < 0 || labels[i] >= CLASSES) {
                throw new InputException(
                        String.format(
                                "%s: label %d at %d; expected 0..%d",
                                file, labels[i] & 0xff, i, CLASSES - 1));
            }
        }
    }

    /** The content of one file. */
    private static final class Idx {
        private final int[] shape;
        private final byte[] bytes;

        Idx(int[] shape, byte[] bytes) {
            this.shape = shape;
            this.bytes = bytes;
        }
    }
}
