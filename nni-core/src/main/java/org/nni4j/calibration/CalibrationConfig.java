package org.nni4j.calibration;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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
 */
public record CalibrationConfig(String algorithm, long step, List<CalibratedLayer> layers) {

    /** The version of the JSON format written. */
    public static final int FORMAT_VERSION = 1;

    /** Copies the list. */
    public CalibrationConfig {
        layers = List.copyOf(layers);
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
        return CalibrationJson.write(this);
    }

    /**
     * Reads the JSON form.
     *
     * @param json as written by {@link #toJson}
     * @return the calibration
     * @throws org.nni4j.config.ConfigException if it is anything else; lists every problem with its
     *     JSON path
     */
    public static CalibrationConfig fromJson(String json) {
        return CalibrationJson.read(json);
    }

    /**
     * Reads a file.
     *
     * @param file JSON, at most 256 MiB
     * @return the calibration
     * @throws IOException if the file cannot be read
     * @throws org.nni4j.config.ConfigException if it holds anything else
     */
    public static CalibrationConfig read(Path file) throws IOException {
        return CalibrationJson.read(file);
    }
}
