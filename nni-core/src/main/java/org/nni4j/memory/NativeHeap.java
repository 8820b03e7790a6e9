package org.nni4j.memory;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The heap of the C library, which holds the arrays of an engine that runs on the CPU. Nothing in
 * the library changes it unasked: it belongs to the whole process.
 */
public final class NativeHeap {

    /* glibc takes each block of more than 128 KiB (later, of more than 32 MiB) from the system and
     * gives it back when it is freed, and so does it with the end of a heap where nothing is left. The
     * system hands out pages that are zeros, one interrupt for every 4 KiB that is written to for the
     * first time. A training step frees almost all that it allocates, so it meets them again each time.
     *
     * Three settings keep the memory; the first two alone are not enough. Every thread but the first
     * allocates in heaps of 64 MiB, and those are given back when they are empty, whatever the trim
     * threshold says, unless as much is to be left over at their end (the "top pad"). Larger blocks
     * than that fit in none of them and come from the system still.
     *
     * Not through variables of the environment: they are read before the JVM runs.
     */

    private static final Logger LOG = LoggerFactory.getLogger(NativeHeap.class);

    /** Parameters of mallopt, from glibc's malloc.h. */
    private static final int TRIM_THRESHOLD = -1;

    private static final int TOP_PAD = -2;
    private static final int MMAP_THRESHOLD = -3;

    private static final int LARGEST_BLOCK = 1 << 30;

    /** glibc's HEAP_MAX_SIZE on 64-bit systems. */
    private static final int THREAD_HEAP = 64 << 20;

    private NativeHeap() {}

    /**
     * Keeps memory that is freed for what is allocated next, instead of giving it back to the
     * system after each operator and taking it again. On Linux this makes training steps faster,
     * those of quantized networks more so, since they make more arrays.
     *
     * <p>It holds for the whole process, whatever else runs in it, until it ends: the process stays
     * as large as it ever was. Do not call it where several processes share little memory, or where
     * one large job is followed by long idleness. Calling it again changes nothing. Call it before
     * the engine is used; what other threads allocate at the time is not in danger.
     *
     * <p>Only glibc is known to have the settings: on macOS, Windows, and with musl (Alpine Linux)
     * nothing is done.
     *
     * @return whether the C library took the settings
     */
    public static synchronized boolean keepFreedMemory() {
        if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux")) {
            return false;
        }
        try {
            NativeLibrary c = NativeLibrary.getInstance("c");
            // Only glibc has this function, and musl no mallopt.
            c.getFunction("gnu_get_libc_version");
            Function mallopt = c.getFunction("mallopt");
            return set(mallopt, MMAP_THRESHOLD, LARGEST_BLOCK)
                    && set(mallopt, TRIM_THRESHOLD, Integer.MAX_VALUE)
                    && set(mallopt, TOP_PAD, THREAD_HEAP);
        } catch (LinkageError e) {
            LOG.debug("freed memory is not kept: {}", e.toString());
            return false;
        }
    }

    /** Calls {@code mallopt}, which returns 1 if it took a value. */
    private static boolean set(Function mallopt, int parameter, int value) {
        return mallopt.invokeInt(new Object[] {parameter, value}) == 1;
    }
}
