package org.nni4j.compression;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder in which files are written that are to be moved beside it when they are complete.
 *
 * <p>A process that is killed leaves its folder behind; the next one to write beside it sweeps it
 * away. It tells by a lock, which ends with the process that holds it.
 */
final class Staging implements AutoCloseable {

    private static final Logger logger = LoggerFactory.getLogger(Staging.class);

    private static final String PREFIX = ".nni4j-partial-";
    private static final String LOCK = "lock";
    private static final Duration LONG_AGO = Duration.ofHours(1);

    /*
     * On POSIX a process loses its lock on a file as soon as it closes the file, through whichever
     * channel. So it must not look at the locks it holds itself.
     */
    private static final Set<Path> heldByThisProcess = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final Path real;
    private final @Nullable FileChannel lock;

    private Staging(Path folder, Path real, @Nullable FileChannel lock) {
        this.folder = folder;
        this.real = real;
        this.lock = lock;
    }

    /** Makes a folder in another one, and sweeps away what others left there. */
    static Staging in(Path parent) throws IOException {
        synchronized (heldByThisProcess) {
            sweepAll(parent);
            return make(parent);
        }
    }

    private static Staging make(Path parent) throws IOException {
        Path folder = Files.createTempDirectory(parent, PREFIX);
        Path real = folder.toRealPath();
        heldByThisProcess.add(real);
        try {
            Files.createDirectory(folder.resolve("files"));
            return new Staging(folder, real, lock(folder));
        } catch (IOException | RuntimeException e) {
            heldByThisProcess.remove(real);
            delete(folder);
            throw e;
        }
    }

    private static void sweepAll(Path parent) {
        try (Stream<Path> files = Files.list(parent.toRealPath())) {
            for (Path left : files.filter(Staging::isLeft).toList()) {
                sweep(left);
            }
        } catch (IOException e) {
            logger.warn("what was left in {} stays", parent, e);
        }
    }

    private static boolean isLeft(Path path) {
        return String.valueOf(path.getFileName()).startsWith(PREFIX)
                && Files.isDirectory(path)
                && !heldByThisProcess.contains(path);
    }

    private static @Nullable FileChannel lock(Path folder) throws IOException {
        FileChannel channel = null;
        try {
            channel =
                    FileChannel.open(
                            folder.resolve(LOCK),
                            StandardOpenOption.CREATE_NEW,
                            StandardOpenOption.WRITE);
            if (channel.tryLock() == null) {
                throw new IOException(folder + ": somebody else locked a new file");
            }
            return channel;
        } catch (UnsupportedOperationException e) {
            // Without locks nobody can tell, and nothing is swept away.
            if (channel != null) {
                channel.close();
                Files.delete(folder.resolve(LOCK));
            }
            return null;
        }
    }

    private static void sweep(Path left) throws IOException {
        Path file = left.resolve(LOCK);
        if (!Files.isRegularFile(file)) {
            // Somebody is about to lock it, or was killed before.
            Instant made = Files.getLastModifiedTime(left).toInstant();
            if (made.isBefore(Instant.now().minus(LONG_AGO))) {
                delete(left);
            }
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock held = channel.tryLock()) {
            if (held == null) {
                return;
            }
        } catch (OverlappingFileLockException | UnsupportedOperationException e) {
            return;
        }
        delete(left);
    }

    private static void delete(Path folder) throws IOException {
        MoreFiles.deleteRecursively(folder, RecursiveDeleteOption.ALLOW_INSECURE);
    }

    /** Where the files go. */
    Path files() {
        return folder.resolve("files");
    }

    /** What was written so far. */
    List<Path> written() throws IOException {
        try (Stream<Path> files = Files.list(files())) {
            return files.sorted().toList();
        }
    }

    /** What was to be written has been moved or is not wanted; a folder left over does no harm. */
    @Override
    public void close() {
        try {
            if (lock != null) {
                lock.close();
            }
            delete(folder);
        } catch (IOException e) {
            logger.warn("{} stays behind", folder, e);
        } finally {
            heldByThisProcess.remove(real);
        }
    }
}
