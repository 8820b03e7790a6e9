package org.nni4j.checkpoint;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nni4j.checkpoint.Checkpoint.SavedLayer;
import org.nni4j.checkpoint.Checkpoint.SavedParameter;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

/** Any bytes are a checkpoint that survives being written, or a {@link CheckpointException}. */
public final class CheckpointFuzz {

    private static final byte[] HEAD = "DJL@".getBytes(StandardCharsets.US_ASCII);

    private CheckpointFuzz() {}

    /** Loads and instruments all classes before inputs are timed. */
    public static void fuzzerInitialize() {
        seeds().forEach(CheckpointFuzz::fuzzerTestOneInput);
    }

    /** What the fuzzer calls. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        read(bytes);
        if (bytes.length >= Footer.BYTES) {
            read(sealed(bytes));
        }
    }

    /** No fuzzer guesses a checksum: whoever changes a file on purpose computes it anew. */
    private static byte[] sealed(byte[] bytes) {
        byte[] file = bytes.clone();
        int digested = file.length - Footer.DIGEST_BYTES - Footer.MAGIC.length;
        ByteBuffer.wrap(file)
                .position(digested)
                .put(Footer.digest(file, digested))
                .put(Footer.MAGIC);
        return file;
    }

    private static void read(byte[] file) {
        Checkpoint checkpoint;
        try {
            checkpoint = Checkpoint.read(file);
        } catch (CheckpointException e) {
            if (e.problems().isEmpty() || String.valueOf(e.getMessage()).length() > 200_000) {
                throw new AssertionError(e.problems().size() + " problems", e);
            }
            return;
        }
        try {
            Checkpoint again = Checkpoint.read(checkpoint.tail(new byte[0]));
            if (!describe(again).equals(describe(checkpoint))) {
                throw new AssertionError("is read back otherwise: " + checkpoint);
            }
        } catch (CheckpointException e) {
            throw new AssertionError("is not read back: " + checkpoint, e);
        }
    }

    /** Everything by its value; records compare float arrays by identity. */
    private static List<Object> describe(Checkpoint c) {
        List<Object> values = new ArrayList<>();
        values.addAll(List.of(c.algorithm(), c.step(), c.seed(), c.config(), c.layers()));
        values.addAll(List.of(c.plan(), c.properties(), c.parameters(), c.optimizer()));
        for (SavedQuantizer quantizer : c.quantizers()) {
            values.add(quantizer.toString());
            values.add(quantizer.state().counters());
            quantizer
                    .state()
                    .arrays()
                    .forEach((name, array) -> values.add(name + Arrays.toString(array)));
        }
        return values;
    }

    /** Where the fuzzer begins. */
    public static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (int size = 0; size < 4; size++) {
            byte[] tail = checkpoint(size).tail(HEAD);
            byte[] file = Arrays.copyOf(HEAD, HEAD.length + tail.length);
            System.arraycopy(tail, 0, file, HEAD.length, tail.length);
            seeds.add(file);
        }
        return seeds;
    }

    private static Checkpoint checkpoint(int size) {
        List<SavedLayer> layers = new ArrayList<>();
        List<SavedParameter> parameters = new ArrayList<>();
        List<SavedQuantizer> quantizers = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            String path = "0" + i + "Conv2d";
            layers.add(new SavedLayer(path, "Conv2d"));
            parameters.add(new SavedParameter(path, "weight", array(i + 1)));
            QuantizerState state =
                    new QuantizerState(
                            Map.of("min", new float[i], "max", new float[] {1, i}),
                            Map.of("draws", 7L * i));
            quantizers.add(new SavedQuantizer(path, QuantType.WEIGHT, "weight", state));
        }
        SavedOptimizer optimizer =
                new SavedOptimizer(
                        "Sgd",
                        Map.of("momentum", "0.9"),
                        7,
                        Map.of("01Conv2d:weight", 7),
                        List.of(
                                new SavedOptimizer.State(
                                        "momentumStates", "01Conv2d:weight", "cpu", -1, array(2))));
        return new Checkpoint(
                "qat",
                1 + size,
                -size,
                "[]",
                layers,
                Map.of("layer \"01Conv2d\", weight", "int8"),
                Map.of("Epoch", "3"),
                parameters,
                quantizers,
                size % 2 == 0 ? Optional.empty() : Optional.of(optimizer));
    }

    private static SavedArray array(int size) {
        return new SavedArray(
                DataType.FLOAT32, new Shape(size), ByteBuffer.allocate(size * Float.BYTES));
    }
}
