package org.nni4j.compression;

import static java.util.Objects.requireNonNull;
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

    /** Another JVM that writes to the folder, as a second export would. */
    static final class OtherProcess {
        public static void main(String[] args) throws IOException {
            Staging.in(Path.of(args[0])).close();
        }
    }

    @Test
    void in_twiceInOneProcess_keepsBothFromOtherProcesses() throws Exception {
        Path log = Files.createFile(folder.resolve("log"));
        try (Staging first = Staging.in(folder);
                Staging second = Staging.in(folder.resolve("..").resolve(folder.getFileName()))) {
            Process other =
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-XX:TieredStopAtLevel=1",
                                    "-cp",
                                    System.getProperty(
                                            "surefire.test.class.path",
                                            System.getProperty("java.class.path")),
                                    OtherProcess.class.getName(),
                                    folder.toString())
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start();
            assertThat(other.waitFor()).as(Files.readString(log)).isZero();
            assertThat(first.files()).isDirectory();
            assertThat(second.files()).isDirectory();
        }
        assertThat(folder).isDirectoryContaining("glob:**log");
    }

    @Test
    void close_stagingOfThisProcess_isForgotten() throws IOException {
        Path unlocked;
        try (Staging staging = Staging.in(folder)) {
            unlocked = requireNonNull(staging.files().getParent());
        }
        // As if it could not be deleted when it was closed.
        Files.createDirectory(unlocked);
        Files.createFile(unlocked.resolve("lock"));
        Staging.in(folder).close();
        assertThat(unlocked).doesNotExist();
    }

    private Path leftover(String name) throws IOException {
        return Files.createDirectory(folder.resolve(".nni4j-partial-" + name));
    }
}
