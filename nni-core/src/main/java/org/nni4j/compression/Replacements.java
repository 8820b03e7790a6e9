package org.nni4j.compression;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Files that take the place of others: all of them do, or none. */
final class Replacements implements AutoCloseable {

    private record Replacement(Path from, Path to) {

        Path backup() {
            return from.resolveSibling(from.getFileName() + ".before");
        }
    }

    private final List<Replacement> replacements = new ArrayList<>();
    private final Deque<Replacement> done = new ArrayDeque<>();

    /**
     * Adds a file.
     *
     * @param from complete, in a folder of the target's file system that is the caller's to delete
     * @param to where it goes
     */
    void add(Path from, Path to) {
        replacements.add(new Replacement(from, to));
    }

    void carryOut() throws IOException {
        for (Replacement r : replacements) {
            if (Files.exists(r.to())) {
                keep(r.to(), r.backup());
            }
        }
        for (Replacement r : replacements) {
            move(r.from(), r.to());
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

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Takes back what was done, unless all was. */
    @Override
    public void close() throws IOException {
        for (@Nullable Replacement r = done.poll(); r != null; r = done.poll()) {
            if (Files.exists(r.backup())) {
                move(r.backup(), r.to());
            } else {
                Files.deleteIfExists(r.to());
            }
        }
    }
}
