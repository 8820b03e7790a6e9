package org.nni4j.compression;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StagingTest {

    @TempDir Path folder;

    @Test
    void in_whatKilledProcessesLeft_isSweptAway() throws IOException {
        Path unlocked = leftover("1");
        Files.createFile(unlocked.resolve("lock"));
        Path old = leftover("2");
        Instant yesterday = Instant.now().minus(Duration.ofDays(1));
        Files.setLastModifiedTime(old, FileTime.from(yesterday));
        Path beginning = leftover("3");
        try (Staging inUse = Staging.in(folder);
                Staging staging = Staging.in(folder)) {
            assertThat(unlocked).doesNotExist();
            assertThat(old).doesNotExist();
            assertThat(beginning).as("perhaps about to be locked").exists();
            assertThat(inUse.files()).as("locked").exists();
            assertThat(staging.files()).isEmptyDirectory();
        }
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(beginning);
        }
    }

    private Path leftover(String name) throws IOException {
        return Files.createDirectory(folder.resolve(".nni4j-partial-" + name));
    }
}
