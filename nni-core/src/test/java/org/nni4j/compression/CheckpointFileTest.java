package org.nni4j.compression;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.checkpoint.Checkpoint;

class CheckpointFileTest {

    @TempDir Path folder;

    /** The file has no blocks on the disk, and none of it is read. */
    @Test
    void tail_ofParametersOfMoreThan2GiB_isRefusedNamingFileSizeAndLimit() throws IOException {
        Path staged = folder.resolve("staged");
        try (RandomAccessFile file = new RandomAccessFile(staged.toFile(), "rw")) {
            file.setLength(3L << 30);
        }
        Path target = folder.resolve("net-0000.params");
        Checkpoint checkpoint =
                new Checkpoint(
                        "qat",
                        1,
                        0,
                        "[]",
                        List.of(),
                        Map.of(),
                        Map.of(),
                        List.of(),
                        List.of(),
                        Optional.empty());
        assertThatThrownBy(() -> CheckpointFile.tail(checkpoint, staged, target))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(target.toString())
                .hasMessageContaining("3221225472 bytes")
                .hasMessageContaining("2147483639 at most");
    }
}
