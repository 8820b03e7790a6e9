package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.nn.Block;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.nni4j.checkpoint.Checkpoint;

/**
 * A checkpoint's one file: DJL's own parameter file, which DJL reads from its beginning, followed
 * by what it does not look at. One file takes the place of another at once.
 */
final class CheckpointFile {

    private final ModelFiles files;

    CheckpointFile(Path modelPath) {
        this.files = ModelFiles.at(modelPath);
    }

    /**
     * Writes.
     *
     * @param model gives properties and data type
     * @param block the network as it is to be saved
     * @throws IOException if the file cannot be written; then nothing was changed
     */
    void write(Model model, Block block, Checkpoint checkpoint) throws IOException {
        Path target = files.parameters();
        ModelFiles.inFolders(
                List.of(files.folder()),
                () -> {
                    files.check(target);
                    try (Staging staging = Staging.in(files.folder())) {
                        files.save(model, block, staging.files());
                        Path staged = staging.written().get(0);
                        byte[] tail = tail(checkpoint, staged, target);
                        Files.write(staged, tail, StandardOpenOption.APPEND);
                        Durable.sync(staged);
                        Durable.move(staged, target);
                    }
                });
    }

    /** Everything is in one array at a time, which tells how large a checkpoint may be. */
    static byte[] tail(Checkpoint checkpoint, Path parameters, Path target) throws IOException {
        long size = Files.size(parameters);
        if (size > Checkpoint.MOST_BYTES) {
            throw new FileSystemException(
                    target.toString(),
                    null,
                    "the parameters alone take "
                            + size
                            + " bytes; a checkpoint may have "
                            + Checkpoint.MOST_BYTES
                            + " at most");
        }
        try {
            return checkpoint.tail(Files.readAllBytes(parameters));
        } catch (IllegalArgumentException e) {
            throw new IOException(target + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads.
     *
     * @throws IOException if it cannot be read, or is no checkpoint
     */
    Checkpoint read() throws IOException {
        return Checkpoint.read(files.parameters());
    }

    /** For messages. */
    @Override
    public String toString() {
        return files.parameters().toString();
    }
}
