package org.nni4j.compression;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;

/** Folders that are made for files to come, and go again if these do not come. */
final class NewFolders implements AutoCloseable {

    private final Deque<Path> made = new ArrayDeque<>();

    /** Makes a folder with all that are missing above it. */
    void create(Path folder) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path p = folder; p != null && !Files.isDirectory(p); p = p.getParent()) {
            if (Files.exists(p)) {
                throw new FileSystemException(p.toString(), null, "is a file; expected a folder");
            }
            missing.push(p);
        }
        while (!missing.isEmpty()) {
            Path next = Objects.requireNonNull(missing.pop());
            Files.createDirectory(next);
            made.push(next);
        }
    }

    /** Lets the folders stay. */
    void keep() {
        made.clear();
    }

    @Override
    public void close() throws IOException {
        for (Path folder : made) {
            Files.deleteIfExists(folder);
        }
    }
}
