package org.nni4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nni4j.checkpoint.Checkpoint.SavedLayer;
import org.nni4j.checkpoint.Checkpoint.SavedParameter;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

class CheckpointTest {

    private static final byte[] HEAD =
            "DJL@ and what DJL writes".getBytes(StandardCharsets.US_ASCII);

    @TempDir Path folder;

    @Test
    void read_ofWritten_isTheSame() throws IOException {
        Checkpoint written = checkpoint();
        Checkpoint read = Checkpoint.read(file());
        assertThat(values(read.quantizers())).isEqualTo(values(written.quantizers()));
        assertThat(without(read)).isEqualTo(without(written));
    }

    /** Float arrays, which are equal to themselves only, as text that tells all of them apart. */
    private static List<Object> values(List<SavedQuantizer> quantizers) {
        return quantizers.stream()
                .<Object>map(
                        q -> {
                            Map<String, String> arrays = new HashMap<>();
                            q.state()
                                    .arrays()
                                    .forEach((name, v) -> arrays.put(name, Arrays.toString(v)));
                            return List.of(
                                    q.layer(), q.type(), q.tensor(), arrays, q.state().counters());
                        })
                .toList();
    }

    private static Checkpoint without(Checkpoint c) {
        return new Checkpoint(
                c.algorithm(),
                c.step(),
                c.seed(),
                c.config(),
                c.layers(),
                c.plan(),
                c.properties(),
                c.parameters(),
                List.of(),
                c.optimizer());
    }

    /** What could not be read back is not written either, at whatever part the limit is met. */
    @Test
    void tail_ofMoreThanAFileMayHave_isRefused() {
        int length = file().length;
        assertThat(new CheckpointWriter(HEAD, length).tail(checkpoint()))
                .hasSize(length - HEAD.length);
        for (int most = 0; most < length; most++) {
            CheckpointWriter writer = new CheckpointWriter(HEAD, most);
            assertThatThrownBy(() -> writer.tail(checkpoint()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected at most " + most);
        }
    }

    @Test
    void read_ofCutOffFile_isRefused() throws IOException {
        byte[] bytes = file();
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> Checkpoint.read(cut))
                    .as("cut off after %d bytes", length)
                    .isInstanceOf(CheckpointException.class);
        }
    }

    @Test
    void read_ofFileWithAnyBitFlipped_isRefused() {
        byte[] bytes = file();
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] changed = bytes.clone();
            changed[bit / 8] ^= (byte) (1 << (bit % 8));
            assertThatThrownBy(() -> Checkpoint.read(changed))
                    .as("bit %d", bit)
                    .isInstanceOf(CheckpointException.class);
        }
    }

    /** As somebody would write it who computes the checksum anew. */
    @Test
    void body_ofAnyBytes_isACheckpointOrRefused() {
        byte[] bytes = file();
        int begin = (int) ByteBuffer.wrap(bytes).getLong(bytes.length - Footer.BYTES + 4);
        int end = bytes.length - Footer.BYTES;
        int accepted = 0;
        for (int seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            byte[] changed = bytes.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                int at = begin + random.nextInt(end - begin);
                changed[at] = (byte) (random.nextBoolean() ? random.nextInt() : -1);
            }
            try {
                CheckpointReader.body(changed, begin, end);
                accepted++;
            } catch (CheckpointException expected) {
                assertThat(expected).as("seed %d", seed).hasMessageContaining("is damaged");
            }
        }
        assertThat(accepted).isBetween(1, 19_999);
    }

    @Test
    void read_ofAnotherVersion_namesIt() {
        byte[] bytes = file();
        bytes[bytes.length - Footer.BYTES + 3] = 9;
        assertThatThrownBy(() -> Checkpoint.read(bytes))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("format version 9 is not supported; expected 1..1");
    }

    @Test
    void read_ofPlainParameters_saysSo() throws IOException {
        Path file = folder.resolve("net-0000.params");
        Files.write(file, HEAD);
        assertThatThrownBy(() -> Checkpoint.read(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("net-0000.params")
                .hasMessageContaining("parameters without a quantizer's state");
    }

    @Test
    void read_ofSymbolicLink_isRefused() throws IOException {
        Path file = Files.write(folder.resolve("net"), file());
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        assertThat(Checkpoint.read(file).algorithm()).isEqualTo("lsq");
        assertThatThrownBy(() -> Checkpoint.read(link))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("symbolic link");
    }

    @Test
    void read_ofFolder_isRefused() {
        assertThatThrownBy(() -> Checkpoint.read(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("not a regular file");
    }

    @Test
    void tail_ofValuesInTheParameterFile_refersToThem() throws IOException {
        SavedArray array = array(1, 2, 3);
        byte[] encoded = djl(array);
        byte[] tail = checkpoint(array).tail(encoded);
        assertThat(tail.length).isEqualTo(checkpoint(array).tail(new byte[0]).length - 3 * 4);
        byte[] file = concat(encoded, tail);
        assertThat(Checkpoint.read(file).parameters().get(0).array()).isEqualTo(array);
    }

    private static byte[] djl(SavedArray array) throws IOException {
        try (ai.djl.ndarray.NDManager manager = ai.djl.ndarray.NDManager.newBaseManager()) {
            return array.toArray(manager).encode();
        }
    }

    private static byte[] file() {
        return concat(HEAD, checkpoint().tail(HEAD));
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    private static SavedArray array(float... values) {
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * 4).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return new SavedArray(DataType.FLOAT32, new Shape(values.length), bytes.flip());
    }

    private static Checkpoint checkpoint() {
        return checkpoint(array(1, Float.NaN));
    }

    private static Checkpoint checkpoint(SavedArray weight) {
        QuantizerState state =
                new QuantizerState(
                        Map.of("step_size", new float[] {.1f, Float.NaN}), Map.of("signed", -1L));
        SavedOptimizer optimizer =
                new SavedOptimizer(
                        "Sgd",
                        Map.of("momentum", "0.9"),
                        7,
                        Map.of("01Conv2d:weight", 7),
                        List.of(
                                new SavedOptimizer.State(
                                        "momentumStates", "01Conv2d:weight", "cpu", -1, array(5))));
        return new Checkpoint(
                "lsq",
                8,
                -3,
                "[]",
                List.of(
                        new SavedLayer("01Conv2d", "Conv2d"),
                        new SavedLayer("", "SequentialBlock")),
                Map.of("layer \"01Conv2d\", weight", "int8"),
                Map.of("Epoch", "3"),
                List.of(new SavedParameter("01Conv2d", "weight", weight)),
                List.of(new SavedQuantizer("01Conv2d", QuantType.WEIGHT, "weight", state)),
                Optional.of(optimizer));
    }
}
