package org.nni4j.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

class NativeHeapTest {

    /**
     * What Linux counts of this process, all its threads: its name in parentheses, then numbers.
     */
    private static final Path COUNTS = Path.of("/proc/self/stat");

    private static final Path GLIBC = Path.of("/lib64/ld-linux-x86-64.so.2");

    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void keepFreedMemory_onOtherSystems_doesNothing() {
        String system = System.getProperty("os.name");
        try {
            System.setProperty("os.name", "Windows 11");
            assertThat(NativeHeap.keepFreedMemory()).isFalse();
        } finally {
            System.setProperty("os.name", system);
        }
    }

    @Test
    void keepFreedMemory_twice_isTheSame() {
        assertThat(NativeHeap.keepFreedMemory()).isEqualTo(NativeHeap.keepFreedMemory());
    }

    @Test
    void keepFreedMemory_onGlibc_takesTheSettings() {
        assumeTrue(Files.exists(GLIBC));
        assertThat(NativeHeap.keepFreedMemory()).isTrue();
    }

    @Test
    void keepFreedMemory_arraysOfOneSizeAgainAndAgain_takeNoNewPages() throws IOException {
        assumeTrue(Files.isReadable(COUNTS) && NativeHeap.keepFreedMemory());
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            // By itself glibc keeps smaller ones after a while, but none of more than 32 MiB.
            Shape mebibytes = new Shape(40 << 18);
            // The first ones need memory, and so does a block that comes to lie elsewhere.
            long fewest = Long.MAX_VALUE;
            for (int round = 0; round < 6; round++) {
                long before = pagesTaken();
                for (int i = 0; i < 10; i++) {
                    manager.ones(mebibytes).close();
                }
                fewest = Math.min(fewest, pagesTaken() - before);
            }
            // Given back each time, 40 MiB are 10240 pages: 102400 in all. The JVM takes some, too.
            assertThat(fewest).isLessThan(102_400 / 4);
        }
    }

    /** Minor page faults of whatever thread, as several of the engine may write the array. */
    private static long pagesTaken() throws IOException {
        String counts = Files.readString(COUNTS);
        String[] fields = counts.substring(counts.lastIndexOf(')') + 2).split(" ");
        return Long.parseLong(fields[7]);
    }
}
