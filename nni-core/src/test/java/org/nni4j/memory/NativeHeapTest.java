package org.nni4j.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

class NativeHeapTest {

    /** What Linux counts of this process: its name in parentheses, then numbers. */
    private static final Path COUNTS = Path.of("/proc/thread-self/stat");

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
            Shape mebibytes = new Shape(4 << 18);
            for (int i = 0; i < 20; i++) {
                manager.ones(mebibytes).close();
            }
            long before = pagesTaken();
            for (int i = 0; i < 50; i++) {
                try (NDArray array = manager.ones(mebibytes)) {
                    assertThat(array.size()).isEqualTo(1 << 20);
                }
            }
            // Given back each time, 4 MiB are 1024 pages: 51200 in all. Some the JVM takes itself.
            assertThat(pagesTaken() - before).isLessThan(51_200 / 4);
        }
    }

    /** Minor page faults of this thread, which writes the array alone or with others. */
    private static long pagesTaken() throws IOException {
        String counts = Files.readString(COUNTS);
        String[] fields = counts.substring(counts.lastIndexOf(')') + 2).split(" ");
        return Long.parseLong(fields[7]);
    }
}
