package org.nni4j.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

/**
 * Everything training needs to go on exactly where it was left, in another JVM: the network's
 * parameters, its quantizers, the optimizer's memory, and what the run was begun with.
 *
 * <p>docs/checkpoint.md describes the file.
 *
 * @param algorithm the algorithm's name
 * @param step 1 + completed optimizer steps
 * @param seed the run's seed, from which all random numbers of the quantizers follow
 * @param config the config list, as JSON
 * @param layers the network's layers, containers too
 * @param plan how each tensor is quantized and what is folded, by place
 * @param properties the model's own properties
 * @param parameters the network's parameters
 * @param quantizers the state of each tensor's quantizer
 * @param optimizer empty for a quantizer without one
 */
public record Checkpoint(
        String algorithm,
        long step,
        long seed,
        String config,
        List<SavedLayer> layers,
        Map<String, String> plan,
        Map<String, String> properties,
        List<SavedParameter> parameters,
        List<SavedQuantizer> quantizers,
        Optional<SavedOptimizer> optimizer) {

    /** The most bytes a file may have: what a Java array can hold. */
    public static final long MOST_BYTES = Integer.MAX_VALUE - 8L;

    /** The version of the format written. */
    public static final int FORMAT_VERSION = 1;

    /**
     * Copies the collections.
     *
     * @throws IllegalArgumentException if the step is not positive
     */
    public Checkpoint {
        if (step < 1) {
            throw new IllegalArgumentException("step " + step + "; expected at least 1");
        }
        layers = List.copyOf(layers);
        plan = new LinkedHashMap<>(plan);
        properties = new LinkedHashMap<>(properties);
        parameters = List.copyOf(parameters);
        quantizers = List.copyOf(quantizers);
    }

    /**
     * A layer of the network.
     *
     * @param path its dotted path; empty text for the network itself
     * @param type its type
     */
    public record SavedLayer(String path, String type) {}

    /**
     * A parameter of the network.
     *
     * @param layer the path of the layer that owns it
     * @param name its name there
     * @param array its float values
     */
    public record SavedParameter(String layer, String name, SavedArray array) {}

    /**
     * The state of one tensor's quantizer.
     *
     * @param layer the layer's dotted path, or a functional operator's traced name
     * @param type weight, input or output
     * @param tensor the parameter's name for a weight; the position of an input or output
     * @param state what the quantizer said of itself
     */
    public record SavedQuantizer(
            String layer, QuantType type, String tensor, QuantizerState state) {

        /** Names the tensor as errors do. */
        @Override
        public String toString() {
            return "layer \"" + layer + "\", " + type.key() + " " + tensor;
        }
    }

    /**
     * Returns what is to be written behind a parameter file of DJL's to make it a checkpoint.
     *
     * @param parameterFile the file's bytes; values found in it are referred to, others written
     * @return the bytes that follow
     * @throws IllegalArgumentException if they would be more than {@link #MOST_BYTES} with the file
     */
    public byte[] tail(byte[] parameterFile) {
        return new CheckpointWriter(parameterFile, MOST_BYTES).tail(this);
    }

    /**
     * Reads a checkpoint from memory.
     *
     * @param file a whole file's bytes, which must not change as long as the checkpoint is used
     * @return the checkpoint; its arrays are views of the bytes
     * @throws CheckpointException if it is anything but a whole checkpoint of a version that is
     *     known; nothing else is thrown, whatever the bytes
     */
    public static Checkpoint read(byte[] file) throws CheckpointException {
        return CheckpointReader.read(file);
    }

    /**
     * Reads a file.
     *
     * @param file a regular file of less than 2 GiB; a symbolic link is refused
     * @return the checkpoint
     * @throws CheckpointException if it holds anything but a whole checkpoint of a version that is
     *     known
     * @throws IOException if it cannot be read
     */
    public static Checkpoint read(Path file) throws IOException {
        return CheckpointReader.read(file);
    }
}
