package org.nni4j.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

class TrainingStateTest {

    @TempDir Path folder;

    @Test
    void read_ofWritten_isTheSame() throws IOException {
        Path file = folder.resolve("deep/quantizer.state");
        TrainingState state = state();
        state.write(file);
        TrainingState read = TrainingState.read(file);
        assertThat(read.algorithm()).isEqualTo("lsq");
        assertThat(read.step()).isEqualTo(8);
        assertThat(read.tensors().get(0).toString()).isEqualTo(state.tensors().get(0).toString());
        QuantizerState tensor = read.tensors().get(0).state();
        assertThat(tensor.array("step_size", 2)).containsExactly(.1f, Float.NaN);
        assertThat(tensor.counter("signed")).isEqualTo(-1);
        try (var files = Files.list(file.getParent())) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void read_ofDamagedFile_throwsIoException() throws IOException {
        Path file = folder.resolve("quantizer.state");
        state().write(file);
        byte[] bytes = Files.readAllBytes(file);
        for (int length = 0; length < bytes.length; length++) {
            Files.write(file, Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> TrainingState.read(file))
                    .as("cut off after %d bytes", length)
                    .isInstanceOf(IOException.class);
        }
        for (int seed = 0; seed < 200; seed++) {
            byte[] changed = bytes.clone();
            Random random = new Random(seed);
            changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, changed);
            try {
                TrainingState.read(file);
            } catch (IOException expected) {
                assertThat(expected).as("seed %d", seed).hasMessageContaining("quantizer.state");
            }
        }
    }

    @Test
    void read_ofAnotherVersion_namesIt() throws IOException {
        Path file = folder.resolve("quantizer.state");
        state().write(file);
        byte[] bytes = Files.readAllBytes(file);
        bytes[7] = 9;
        Files.write(file, bytes);
        assertThatThrownBy(() -> TrainingState.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 9 is not supported; expected 1");
    }

    private static TrainingState state() {
        QuantizerState tensor =
                new QuantizerState(
                        Map.of("step_size", new float[] {.1f, Float.NaN}), Map.of("signed", -1L));
        return new TrainingState(
                "lsq",
                8,
                List.of(new TrainingState.Tensor("01Conv2d", QuantType.WEIGHT, "weight", tensor)));
    }
}
