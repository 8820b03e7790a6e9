package org.nni4j.algorithms.qat;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.nni4j.algorithms.Networks;

/**
 * Training for long needs no more memory than training for short; {@code MemoryStudy} in the
 * examples does the same for ten thousand steps.
 */
class QatMemoryTest {

    private static final int WARM_UP = 100;
    private static final int STEPS = 400;
    private static final Shape BATCH = new Shape(8, 1, 28, 28);

    /**
     * What the steps after warming up may add to resident memory beyond the Java heap: the compiler
     * works on, and allocators keep freed pages. A step's intermediate arrays are some 500 KiB, so
     * that leaking them would add twice as much.
     */
    private static final long MOST_GROWTH_MIB = 64;

    /** The Java heap lies below, native memory above: compressed pointers reach 32 GiB. */
    private static final long HEAP_ENDS = 1L << 35;

    private static final Pattern MAPPING = Pattern.compile("^[0-9a-f]+-[0-9a-f]+ ");

    private static final List<Map<String, Object>> ALL =
            List.of(
                    Map.of(
                            "quant_types", List.of("weight", "input", "output"),
                            "quant_bits", 8,
                            "op_types", List.of("Conv2d", "Linear")));

    @Test
    void train_manySteps_keepsArraysAndMemory() throws Exception {
        try (Model model = Networks.lenetModel(1);
                QATQuantizer quantizer = new QATQuantizer(model, ALL, Networks.sgd(0.01f))) {
            quantizer.compress();
            try (Trainer trainer = Networks.trainer(model, quantizer.optimizer())) {
                run(trainer, 0, WARM_UP);
                List<String> before = resources(model.getNDManager());
                long memory = nativeMebibytes();
                run(trainer, WARM_UP, STEPS);
                assertThat(resources(model.getNDManager())).hasSameSizeAs(before);
                assertThat(trainer.getManager().getManagedArrays()).isEmpty();
                assertThat(nativeMebibytes() - memory)
                        .as("MiB that %d steps added", STEPS - WARM_UP)
                        .isLessThan(MOST_GROWTH_MIB);
            }
        }
    }

    private static void run(Trainer trainer, int from, int to) {
        for (int step = from; step < to; step++) {
            Networks.step(trainer, BATCH, 10, step % 16);
        }
    }

    /** Everything that lives as long as a manager, its sub-managers' included. */
    private static List<String> resources(NDManager manager) throws ReflectiveOperationException {
        Field field = BaseNDManager.class.getDeclaredField("resources");
        field.setAccessible(true);
        List<String> found = new ArrayList<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) field.get(manager)).entrySet()) {
            found.add(String.valueOf(entry.getKey()));
            if (entry.getValue() instanceof NDManager child) {
                found.addAll(resources(child));
            }
        }
        return found;
    }

    /**
     * Resident memory without the Java heap, which grows as it likes; 0 where Linux does not tell.
     */
    private static long nativeMebibytes() throws IOException {
        Path maps = Path.of("/proc/self/smaps");
        if (!Files.isReadable(maps)) {
            return 0;
        }
        boolean isNative = false;
        long kibibytes = 0;
        for (String line : Files.readAllLines(maps)) {
            if (MAPPING.matcher(line).find()) {
                isNative =
                        Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16)
                                > HEAP_ENDS;
            } else if (isNative && line.startsWith("Rss:")) {
                kibibytes += Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return kibibytes >> 10;
    }
}
