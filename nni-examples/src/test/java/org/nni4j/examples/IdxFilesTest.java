package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFilesTest {
    private static final byte[] PIXELS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, (byte) 255};

    @TempDir private Path folder;

    @BeforeEach
    void writeTwoPicturesOfTwoByThree() throws IOException {
        write("train-images-idx3-ubyte", idx(0x0803, PIXELS, 2, 2, 3));
        write("train-labels-idx1-ubyte", idx(0x0801, new byte[] {7, 9}, 2));
    }

    @Test
    void readTraining_plainFiles_givesPixelsAndLabels() {
        ImageSet images = IdxFiles.readTraining(folder);

        assertThat(images.size()).isEqualTo(2);
        assertThat(images.height()).isEqualTo(2);
        assertThat(images.width()).isEqualTo(3);
        assertThat(images.pixels()).isEqualTo(PIXELS);
        assertThat(images.label(1)).isEqualTo(9);
    }

    @Test
    void readTraining_gzippedFiles_givesTheSame() throws IOException {
        for (String name : new String[] {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}) {
            byte[] plain = Files.readAllBytes(folder.resolve(name));
            Files.delete(folder.resolve(name));
            write(name + ".gz", gzip(plain));
        }

        assertThat(IdxFiles.readTraining(folder).pixels()).isEqualTo(PIXELS);
    }

    @Test
    void readTraining_noFolder_saysSo() {
        assertFails("absent: no such folder", folder.resolve("absent"));
    }

    @Test
    void readTest_noFiles_namesBothSpellings() {
        assertThatThrownBy(() -> IdxFiles.readTest(folder))
                .isInstanceOf(InputException.class)
                .hasMessageEndingWith(
                        ": holds neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz");
    }

    @Test
    void readTraining_wrongMagic_showsBoth() throws IOException {
        write("train-images-idx3-ubyte", idx(0x0801, PIXELS, 2, 2, 3));

        assertFails("train-images-idx3-ubyte: magic number 0x0801; expected 0x0803", folder);
    }

    @Test
    void readTraining_truncatedPixels_showsAnnouncedAndFound() throws IOException {
        write("train-images-idx3-ubyte", idx(0x0803, Arrays.copyOf(PIXELS, 11), 2, 2, 3));

        assertFails("truncated; the header announces 12 bytes, 11 follow", folder);
    }

    @Test
    void readTraining_truncatedHeader_saysSo() throws IOException {
        write("train-images-idx3-ubyte", new byte[] {0, 0, 8, 3, 0, 0});

        assertFails("truncated in the header", folder);
    }

    @Test
    void readTraining_truncatedGzip_saysSo() throws IOException {
        byte[] whole = gzip(Files.readAllBytes(folder.resolve("train-images-idx3-ubyte")));
        Files.delete(folder.resolve("train-images-idx3-ubyte"));
        write("train-images-idx3-ubyte.gz", Arrays.copyOf(whole, whole.length - 12));

        assertFails("truncated", folder);
    }

    @Test
    void readTraining_notGzip_saysSo() throws IOException {
        Files.delete(folder.resolve("train-images-idx3-ubyte"));
        write("train-images-idx3-ubyte.gz", idx(0x0803, PIXELS, 2, 2, 3));

        assertFails("train-images-idx3-ubyte.gz: Not in GZIP format", folder);
    }

    @Test
    void readTraining_bytesAfterTheEnd_saysSo() throws IOException {
        write("train-images-idx3-ubyte", idx(0x0803, Arrays.copyOf(PIXELS, 13), 2, 2, 3));

        assertFails("more than the 12 bytes its header announces", folder);
    }

    @Test
    void readTraining_negativeLength_namesTheAxis() throws IOException {
        write("train-images-idx3-ubyte", idx(0x0803, PIXELS, 2, -2, 3));

        assertFails("axis 1 has length -2", folder);
    }

    @Test
    void readTraining_hugeLengths_doesNotTryToAllocate() throws IOException {
        int most = Integer.MAX_VALUE;
        write("train-images-idx3-ubyte", idx(0x0803, PIXELS, most, most, most));

        assertFails("axis 1 has length 2147483647", folder);
    }

    @Test
    void readTraining_labelOutOfRange_namesItsPlace() throws IOException {
        write("train-labels-idx1-ubyte", idx(0x0801, new byte[] {7, (byte) 200}, 2));

        assertFails("label 200 at 1; expected 0..9", folder);
    }

    @Test
    void readTraining_countsDiffer_showsBoth() throws IOException {
        write("train-labels-idx1-ubyte", idx(0x0801, new byte[] {7, 9, 1}, 3));

        assertFails("3 labels for the 2 pictures of", folder);
    }

    private static void assertFails(String message, Path folder) {
        assertThatThrownBy(() -> IdxFiles.readTraining(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(message);
    }

    private void write(String name, byte[] content) throws IOException {
        Files.write(folder.resolve(name), content);
    }

    private static byte[] idx(int magic, byte[] content, int... shape) {
        ByteBuffer buffer = ByteBuffer.allocate(4 + 4 * shape.length + content.length);
        buffer.putInt(magic);
        for (int length : shape) {
            buffer.putInt(length);
        }
        return buffer.put(content).array();
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream zip = new GZIPOutputStream(out)) {
            zip.write(plain);
        }
        return out.toByteArray();
    }
}
