package org.nni4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Cifar10FilesTest {
    private static final int RECORD = 3073;

    @TempDir private Path folder;

    @BeforeEach
    void writeTwoRecordsPerFile() throws IOException {
        for (int i = 1; i <= 5; i++) {
            Files.write(folder.resolve("data_batch_" + i + ".bin"), records(i, 2 * i - 1));
        }
        Files.write(folder.resolve("test_batch.bin"), records(9, 0));
    }

    @Test
    void readTraining_fiveFiles_keepsTheirOrder() {
        ImageSet images = Cifar10Files.readTraining(folder);

        assertThat(images.size()).isEqualTo(10);
        for (int i = 0; i < 10; i++) {
            // the second label of a file is one less than twice its number
            int file = i / 2 + 1;
            assertThat(images.label(i)).isEqualTo(i % 2 == 0 ? file : 2 * file - 1);
        }
    }

    @Test
    void readTest_pixels_areChannelFirst() {
        ImageSet images = Cifar10Files.readTest(folder);

        assertThat(images.channels()).isEqualTo(3);
        assertThat(images.height()).isEqualTo(32);
        assertThat(images.width()).isEqualTo(32);
        assertThat(images.pixels()[0]).isEqualTo((byte) 10);
        assertThat(images.pixels()[1024]).isEqualTo((byte) 20);
        assertThat(images.pixels()[images.stride() + 2048]).isEqualTo((byte) 30);
    }

    @Test
    void readTraining_oneFileMissing_namesIt() throws IOException {
        Files.delete(folder.resolve("data_batch_4.bin"));

        assertThatThrownBy(() -> Cifar10Files.readTraining(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("data_batch_4.bin: no such file");
    }

    @Test
    void readTest_truncated_showsTheBytes() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), new byte[RECORD - 1]);

        assertThatThrownBy(() -> Cifar10Files.readTest(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("3072 bytes; expected a positive multiple of 3073");
    }

    @Test
    void readTest_labelOutOfRange_namesTheRecord() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), records(3, 10));

        assertThatThrownBy(() -> Cifar10Files.readTest(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("label 10 in record 1; expected 0..9");
    }

    /** Returns two records: red 10, green 20, blue 30. */
    private static byte[] records(int firstLabel, int secondLabel) {
        byte[] bytes = new byte[2 * RECORD];
        for (int i = 0; i < 2; i++) {
            int start = i * RECORD;
            bytes[start] = (byte) (i == 0 ? firstLabel : secondLabel);
            for (int c = 0; c < 3; c++) {
                int plane = start + 1 + c * 1024;
                Arrays.fill(bytes, plane, plane + 1024, (byte) (10 * (c + 1)));
            }
        }
        return bytes;
    }
}
