package org.nni4j.algorithms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.training.Trainer;
import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.algorithms.qat.QATQuantizer;

/** What cannot be written changes nothing: no file, not the model, not the quantizer. */
class FullDiskTest {

    private static final int BLOCK = 128;
    private static final Charset LATIN = StandardCharsets.ISO_8859_1;
    private static final List<Map<String, Object>> CONFIG =
            List.of(
                    Map.of(
                            "quant_types",
                            List.of("weight", "input"),
                            "quant_bits",
                            8,
                            "op_types",
                            List.of("Conv2d", "Linear")));

    @TempDir Path folder;

    private final Model model = Networks.smallModel(3);
    private final QATQuantizer quantizer = new QATQuantizer(model, CONFIG, Networks.sgd(.1f));

    /** Something that writes files; all of them are to be old, or all new. */
    @FunctionalInterface
    private interface Writing {
        void to(Path folder) throws IOException;
    }

    @BeforeEach
    void train() {
        quantizer.compress();
        try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
            Networks.step(trainer, Networks.SMALL, 3, 1);
        }
    }

    @AfterEach
    void close() {
        quantizer.close();
        model.close();
    }

    @Test
    void saveCheckpoint_onDisksOfAnySize_writesAllOrNothing() throws IOException {
        onDisksOfAnySize(where -> quantizer.saveCheckpoint(where.resolve("net")));
    }

    @Test
    void exportModel_onDisksOfAnySize_writesAllOrNothing() throws IOException {
        onDisksOfAnySize(
                where -> quantizer.exportModel(where.resolve("net"), where.resolve("net.json")));
    }

    /** Disks grow until the first one that is large enough. */
    private void onDisksOfAnySize(Writing writing) throws IOException {
        List<Block> layers = layers();
        float[] output = output();
        int failed = 0;
        for (int blocks = 4; ; blocks++) {
            try (FileSystem disk = disk(blocks)) {
                Path where = Files.createDirectory(disk.getPath("/out"));
                Files.writeString(where.resolve("net-0000.params"), "old");
                Files.writeString(where.resolve("net.json"), "old");
                Map<String, String> before = contents(disk.getPath("/"));
                try {
                    writing.to(where);
                    assertThat(contents(disk.getPath("/")).keySet()).isEqualTo(before.keySet());
                    assertThat(Files.readString(where.resolve("net-0000.params"), LATIN))
                            .startsWith("DJL@");
                    break;
                } catch (IOException e) {
                    failed++;
                    assertThat(e).hasMessageContaining("out of disk space");
                    assertThat(contents(disk.getPath("/")))
                            .as("%d blocks", blocks)
                            .isEqualTo(before);
                    assertThat(layers()).isEqualTo(layers);
                    assertThat(output()).isEqualTo(output);
                    assertThat(quantizer.step()).isEqualTo(2);
                }
            }
        }
        // The disk was full at many different moments.
        assertThat(failed).isGreaterThan(5);
    }

    private static FileSystem disk(int blocks) {
        return Jimfs.newFileSystem(
                Configuration.unix().toBuilder()
                        .setBlockSize(BLOCK)
                        .setMaxSize((long) BLOCK * blocks)
                        .setMaxCacheSize(0)
                        .build());
    }

    private List<Block> layers() {
        return List.copyOf(model.getBlock().getChildren().values());
    }

    private float[] output() {
        return Networks.evaluate(model, Networks.random(Networks.SMALL, 9), Networks.SMALL);
    }

    private static Map<String, String> contents(Path root) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.toList()) {
                boolean isFile = Files.isRegularFile(file);
                contents.put(file.toString(), isFile ? Files.readString(file, LATIN) : "");
            }
        }
        return contents;
    }

    @Test
    void saveCheckpoint_whereItCannotBe_changesNothing() throws IOException {
        Path taken = Files.createDirectory(folder.resolve("taken-0000.params"));
        Path file = Files.writeString(folder.resolve("file"), "mine");
        Path newer = Files.writeString(folder.resolve("net-0003.params"), "newer");
        refused(folder.resolve("taken"), taken + ": is a folder; expected a file's path");
        refused(file.resolve("net"), file + ": is a file; expected a folder");
        refused(
                folder.resolve("net"),
                newer
                        + ": is what Model.load would take for newer than net-0000.params; write to"
                        + " another folder or name");
    }

    @Test
    void saveCheckpoint_unwritableFolder_changesNothing() throws IOException {
        Path locked = Files.createDirectory(folder.resolve("locked"));
        assumeThat(locked.toFile().setWritable(false) && !Files.isWritable(locked))
                .as("a user who may write everywhere cannot see this")
                .isTrue();
        refused(locked.resolve("net"), "there is no permission to write this");
    }

    private void refused(Path where, String message) throws IOException {
        Map<String, String> before = contents(folder);
        assertThatThrownBy(() -> quantizer.saveCheckpoint(where))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining(message);
        assertThat(contents(folder)).isEqualTo(before);
    }
}
