package org.nni4j.calibration;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.nni4j.config.ConfigException;
import org.nni4j.config.JsonObjectReader;

/**
 * What quantization found out about a network: how each quantized tensor of each layer maps to
 * integers.
 *
 * <p>Written as JSON beside the exported model. A file names its format version; versions a reader
 * does not know are refused.
 *
 * @param algorithm the algorithm that made it
 * @param step 1 + the optimizer steps completed before
 * @param layers the quantized layers, in the network's order
 * @param parametersHash SHA-256 of the parameters it was exported with, in hexadecimal; empty text
 *     if it was not exported
 */
public record CalibrationConfig(
        String algorithm, long step, List<CalibratedLayer> layers, String parametersHash) {

    /** The version of the JSON format written. */
    public static final int FORMAT_VERSION = 1;

    /** 64 MiB; a BERT with a scale for each word of its vocabulary needs a twentieth of it. */
    private static final int MOST_BYTES = 64 << 20;

    static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

    /** Numbers, strings and brackets' contents together. */
    static final int MOST_VALUES = 5_000_000;

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if a layer is given twice, the step is not positive, or the
     *     hash is none
     */
    public CalibrationConfig {
        layers = List.copyOf(layers);
        if (step < 1) {
            throw new IllegalArgumentException("step " + step + "; expected at least 1");
        }
        if (!parametersHash.isEmpty() && !HASH.matcher(parametersHash).matches()) {
            throw new IllegalArgumentException(
                    "hash \"" + parametersHash + "\"; expected 64 hexadecimal digits");
        }
        Set<String> paths = new HashSet<>();
        for (CalibratedLayer layer : layers) {
            if (!paths.add(layer.path())) {
                throw new IllegalArgumentException(
                        "layer \"" + layer.path() + "\" is given twice; expected each once");
            }
        }
    }

    /**
     * Makes a calibration that was not exported.
     *
     * @param algorithm the algorithm that made it
     * @param step 1 + the optimizer steps completed before
     * @param layers the quantized layers, in the network's order
     * @throws IllegalArgumentException if a layer is given twice, or the step is not positive
     */
    public CalibrationConfig(String algorithm, long step, List<CalibratedLayer> layers) {
        this(algorithm, step, layers, "");
    }

    /**
     * Returns this calibration as belonging to some parameters.
     *
     * @param hash SHA-256 in hexadecimal
     * @return a new calibration
     * @throws IllegalArgumentException if the hash is none
     */
    public CalibrationConfig with(String hash) {
        return new CalibrationConfig(algorithm, step, layers, hash);
    }

    /**
     * Finds a layer.
     *
     * @param path its dotted path
     * @return empty if nothing of it is quantized
     */
    public Optional<CalibratedLayer> layer(String path) {
        return layers.stream().filter(l -> l.path().equals(path)).findFirst();
    }

    /**
     * Returns the JSON form.
     *
     * @return text that {@link #fromJson} reads back to an equal value; floats survive exactly
     */
    public String toJson() {
        return CalibrationWriter.write(this);
    }

    /**
     * Reads the JSON form.
     *
     * @param json as written by {@link #toJson}, at most 64 Mi characters
     * @return the calibration
     * @throws ConfigException if it is anything else; lists every problem with its JSON path
     */
    public static CalibrationConfig fromJson(String json) {
        if (json.length() > MOST_BYTES) {
            throw new ConfigException(
                    "calibration", json.length() + " characters; expected at most " + MOST_BYTES);
        }
        return CalibrationReader.read(json);
    }

    /**
     * Reads a file.
     *
     * @param file JSON, at most 64 MiB
     * @return the calibration
     * @throws IOException if the file cannot be read
     * @throws ConfigException if it holds anything else
     */
    public static CalibrationConfig read(Path file) throws IOException {
        String json = JsonObjectReader.text(file, MOST_BYTES);
        try {
            return CalibrationReader.read(json);
        } catch (ConfigException e) {
            throw new ConfigException(file.toString(), e.problems());
        }
    }
}
