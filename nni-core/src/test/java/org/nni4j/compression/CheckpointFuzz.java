package org.nni4j.compression;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

/** Any file is a state that survives being written, or an {@link IOException}. */
public final class CheckpointFuzz {

    private static final Path FILE = temporary();

    private CheckpointFuzz() {}

    private static Path temporary() {
        try {
            Path file = Files.createTempFile("nni4j-fuzz", ".state");
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the fuzzer calls. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        Files.write(FILE, bytes);
        TrainingState state;
        try {
            state = TrainingState.read(FILE);
        } catch (IOException e) {
            return;
        }
        state.write(FILE);
        if (TrainingState.read(FILE).tensors().size() != state.tensors().size()) {
            throw new AssertionError("is read back otherwise");
        }
    }

    /** Where the fuzzer begins. */
    public static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (int tensors = 0; tensors < 4; tensors++) {
            List<TrainingState.Tensor> all = new ArrayList<>();
            for (int i = 0; i < tensors; i++) {
                QuantType type = QuantType.values()[i];
                QuantizerState state =
                        new QuantizerState(
                                Map.of("min", new float[i], "max", new float[] {1, i}),
                                Map.of("draws", 7L * i));
                all.add(new TrainingState.Tensor("0" + i + "Conv2d", type, "weight", state));
            }
            new TrainingState("qat", 1 + tensors, all).write(FILE);
            seeds.add(Files.readAllBytes(FILE));
        }
        return seeds;
    }
}
