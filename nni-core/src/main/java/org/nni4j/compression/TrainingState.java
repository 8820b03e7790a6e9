package org.nni4j.compression;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UTFDataFormatException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

/**
 * Everything about a quantizer that training needs to go on exactly, beside the network's
 * parameters and the user's optimizer.
 *
 * @param algorithm the algorithm's name
 * @param step 1 + completed optimizer steps
 * @param tensors the state of each tensor's quantizer
 */
record TrainingState(String algorithm, long step, List<Tensor> tensors) {

    private static final int MAGIC = 0x6E6E6A53;
    private static final int VERSION = 1;

    TrainingState {
        tensors = List.copyOf(tensors);
    }

    /**
     * The state of one tensor's quantizer.
     *
     * @param layer the layer's dotted path
     * @param type weight, input or output
     * @param tensor the parameter's name for a weight; the position of an input or output
     * @param state what the quantizer said of itself
     */
    record Tensor(String layer, QuantType type, String tensor, QuantizerState state) {

        @Override
        public String toString() {
            return "layer \"" + layer + "\", " + type.key() + " " + tensor;
        }
    }

    /** Writes a file, whole or not at all. */
    void write(Path file) throws IOException {
        Path target = file.toAbsolutePath();
        Path folder = Objects.requireNonNull(target.getParent(), "a file's path has a folder");
        Files.createDirectories(folder);
        Path staged = Files.createTempFile(folder, ".state", ".tmp");
        try {
            try (DataOutputStream out =
                    new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(staged)))) {
                write(out);
            }
            move(staged, target);
        } finally {
            Files.deleteIfExists(staged);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private void write(DataOutputStream out) throws IOException {
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeUTF(algorithm);
        out.writeLong(step);
        out.writeInt(tensors.size());
        for (Tensor tensor : tensors) {
            out.writeUTF(tensor.layer());
            out.writeUTF(tensor.type().key());
            out.writeUTF(tensor.tensor());
            Map<String, float[]> arrays = tensor.state().arrays();
            out.writeInt(arrays.size());
            for (Map.Entry<String, float[]> array : arrays.entrySet()) {
                out.writeUTF(array.getKey());
                out.writeInt(array.getValue().length);
                for (float value : array.getValue()) {
                    out.writeFloat(value);
                }
            }
            Map<String, Long> counters = tensor.state().counters();
            out.writeInt(counters.size());
            for (Map.Entry<String, Long> counter : counters.entrySet()) {
                out.writeUTF(counter.getKey());
                out.writeLong(counter.getValue());
            }
        }
    }

    /**
     * Reads a file.
     *
     * @throws IOException if it cannot be read, or holds anything but such a state of a known
     *     version
     */
    static TrainingState read(Path file) throws IOException {
        long size = Files.size(file);
        try (DataInputStream in =
                new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            if (size < 2 * Integer.BYTES || in.readInt() != MAGIC) {
                throw new IOException(file + ": is not a quantizer's state");
            }
            int version = in.readInt();
            if (version != VERSION) {
                throw new IOException(
                        file + ": version " + version + " is not supported; expected " + VERSION);
            }
            return read(in, size);
        } catch (EOFException | UTFDataFormatException | IllegalArgumentException e) {
            throw new IOException(file + ": the quantizer's state is damaged", e);
        }
    }

    private static TrainingState read(DataInputStream in, long size) throws IOException {
        String algorithm = in.readUTF();
        long step = in.readLong();
        int count = count(in, size);
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String layer = in.readUTF();
            QuantType type = type(in.readUTF());
            String tensor = in.readUTF();
            tensors.add(new Tensor(layer, type, tensor, state(in, size)));
        }
        return new TrainingState(algorithm, step, tensors);
    }

    private static QuantType type(String key) {
        for (QuantType type : QuantType.values()) {
            if (type.key().equals(key)) {
                return type;
            }
        }
        throw new IllegalArgumentException("unknown quant type \"" + key + "\"");
    }

    private static QuantizerState state(DataInputStream in, long size) throws IOException {
        Map<String, float[]> arrays = new LinkedHashMap<>();
        int arrayCount = count(in, size);
        for (int i = 0; i < arrayCount; i++) {
            String name = in.readUTF();
            float[] values = new float[count(in, size)];
            for (int j = 0; j < values.length; j++) {
                values[j] = in.readFloat();
            }
            arrays.put(name, values);
        }
        Map<String, Long> counters = new LinkedHashMap<>();
        int counterCount = count(in, size);
        for (int i = 0; i < counterCount; i++) {
            counters.put(in.readUTF(), in.readLong());
        }
        return new QuantizerState(arrays, counters);
    }

    /** A damaged count must not make room for more than the file can hold. */
    private static int count(DataInputStream in, long size) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > size) {
            throw new IllegalArgumentException("count " + count + " is not possible");
        }
        return count;
    }
}
