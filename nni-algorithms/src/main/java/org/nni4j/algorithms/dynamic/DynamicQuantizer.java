package org.nni4j.algorithms.dynamic;

import ai.djl.Model;
import java.util.List;
import java.util.Map;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;

/**
 * Quantizes Linear and recurrent layers of a trained model, without data; see {@link
 * DynamicAlgorithm}.
 *
 * <pre>{@code
 * DynamicQuantizer quantizer = new DynamicQuantizer(model, configList);
 * quantizer.compress();
 * // evaluate
 * quantizer.exportModel(Path.of("out/lstm"), Path.of("out/lstm-calibration.json"));
 * }</pre>
 */
public final class DynamicQuantizer extends Quantizer {

    /**
     * Makes a quantizer with standard options; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public DynamicQuantizer(Model model, ConfigList config) {
        super(new DynamicAlgorithm(), model, config, null, QuantizerOptions.standard());
    }

    /**
     * Makes a quantizer from a config list written as maps; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public DynamicQuantizer(Model model, List<? extends Map<String, ?>> config) {
        this(model, ConfigList.fromMaps(config));
    }
}
