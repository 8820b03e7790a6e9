package org.nni4j.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.nni4j.config.ConfigList;

/**
 * A config list and where it came from.
 *
 * @param name a file's name
 * @param list what it says
 */
record NamedConfig(String name, ConfigList list) {

    /**
     * Reads the file the user named, or the example's own for the algorithm.
     *
     * @throws org.nni4j.config.ConfigException if the file is not a config list
     * @throws InputException if the example has none for the algorithm
     */
    static NamedConfig of(ExampleOptions options, ExampleDefaults defaults) {
        if (options.config.isPresent()) {
            Path file = options.config.get();
            return new NamedConfig(file.toString(), ConfigList.fromJson(file));
        }
        return of(defaults.configPrefix(), options.algorithm);
    }

    /**
     * Reads an example's own config for an algorithm.
     *
     * @throws InputException if the example has none for the algorithm
     */
    static NamedConfig of(String example, String algorithm) {
        String base = "configs/" + example + "-" + algorithm;
        for (String name : List.of(base + "-int8.json", base + "-w4a4.json", base + ".json")) {
            try (InputStream in = NamedConfig.class.getResourceAsStream("/" + name)) {
                if (in != null) {
                    String json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                    return new NamedConfig(name, ConfigList.fromJson(json));
                }
            } catch (IOException e) {
                throw InputException.unreadable(Path.of(name), e);
            }
        }
        throw new InputException(
                String.format(
                        "algorithm \"%s\" has no config of its own here; name one with --config",
                        algorithm));
    }
}
