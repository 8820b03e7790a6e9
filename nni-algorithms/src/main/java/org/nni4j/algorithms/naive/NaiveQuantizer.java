package org.nni4j.algorithms.naive;

import ai.djl.Model;
import java.util.List;
import java.util.Map;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;

/** Quantizes weights to 8 bits by their largest magnitude; see {@link NaiveAlgorithm}. */
public final class NaiveQuantizer extends Quantizer {

    /**
     * Makes a quantizer with standard options; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public NaiveQuantizer(Model model, ConfigList config) {
        super(new NaiveAlgorithm(), model, config, null, QuantizerOptions.standard(), null);
    }

    /**
     * Makes a quantizer from a config list written as maps; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public NaiveQuantizer(Model model, List<? extends Map<String, ?>> config) {
        this(model, ConfigList.fromMaps(config));
    }
}
