package org.nni4j.compression;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Files that take the place of others, one after another: all of them do, or none. */
final class Replacements implements AutoCloseable {

    private record Replacement(Path from, Path to, Path backup) {}

    private final List<Replacement> replacements = new ArrayList<>();
    private final Deque<Replacement> done = new ArrayDeque<>();

    /**
     * Adds a file.
     *
     * @param from complete and on the disk, or the target of a file added before
     * @param to where it goes, on the same file system
     * @param backups a folder there that is the caller's to delete
     */
    void add(Path from, Path to, Path backups) {
        Path backup = backups.resolve("before-" + replacements.size());
        replacements.add(new Replacement(from, to, backup));
    }

    /** Moves the files in the order they were added. */
    void carryOut() throws IOException {
        for (Replacement r : replacements) {
            if (Files.exists(r.to())) {
                keep(r.to(), r.backup());
            }
        }
        for (Replacement r : replacements) {
            Durable.move(r.from(), r.to());
            done.push(r);
        }
        done.clear();
    }

    /** A link costs nothing where the file system has any. */
    private static void keep(Path file, Path backup) throws IOException {
        try {
            Files.createLink(backup, file);
        } catch (IOException | UnsupportedOperationException e) {
            Files.copy(file, backup);
        }
    }

    /** Takes back what was done, unless all was. */
    @Override
    public void close() throws IOException {
        for (@Nullable Replacement r = done.poll(); r != null; r = done.poll()) {
            if (Files.exists(r.backup())) {
                Durable.move(r.backup(), r.to());
            } else {
                Files.deleteIfExists(r.to());
            }
        }
    }
}
