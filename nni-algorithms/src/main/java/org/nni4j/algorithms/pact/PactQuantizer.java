package org.nni4j.algorithms.pact;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.optimizer.Optimizer;
import java.util.List;
import java.util.Map;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;
import org.nni4j.graph.GraphTracer;

/**
 * Trains a model with learned clipping levels; see {@link PactAlgorithm}.
 *
 * <pre>{@code
 * PactQuantizer quantizer = new PactQuantizer(model, configList, optimizer);
 * quantizer.compress();
 * // train model with new DefaultTrainingConfig(loss).optOptimizer(quantizer.optimizer())
 * quantizer.exportModel(Path.of("out/lenet"), Path.of("out/lenet-calibration.json"));
 * }</pre>
 */
public final class PactQuantizer extends Quantizer {

    /**
     * Makes a quantizer with standard options; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @param optimizer the user's optimizer; train with {@link #optimizer()}
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public PactQuantizer(Model model, ConfigList config, Optimizer optimizer) {
        this(model, config, optimizer, QuantizerOptions.standard());
    }

    /**
     * Makes a quantizer from a config list written as maps; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @param optimizer the user's optimizer; train with {@link #optimizer()}
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public PactQuantizer(Model model, List<? extends Map<String, ?>> config, Optimizer optimizer) {
        this(model, ConfigList.fromMaps(config), optimizer);
    }

    /**
     * Makes a quantizer; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @param optimizer the user's optimizer; train with {@link #optimizer()}
     * @param options everything else
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public PactQuantizer(
            Model model, ConfigList config, Optimizer optimizer, QuantizerOptions options) {
        super(new PactAlgorithm(), model, config, optimizer, options);
    }

    /**
     * Makes a quantizer that sees functional operators too: the model is traced with a dummy input.
     * It is only read.
     *
     * @param model has an initialized block
     * @param config what to quantize
     * @param optimizer the user's optimizer; train with {@link #optimizer()}
     * @param dummyInput what the model's block takes; its values do not matter, and a batch of one
     *     will do
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public PactQuantizer(Model model, ConfigList config, Optimizer optimizer, NDList dummyInput) {
        this(model, config, optimizer, QuantizerOptions.standard(), dummyInput);
    }

    /**
     * Makes a quantizer that sees functional operators too: the model is traced with a dummy input.
     * It is only read.
     *
     * @param model has an initialized block
     * @param config what to quantize
     * @param optimizer the user's optimizer; train with {@link #optimizer()}
     * @param options everything else
     * @param dummyInput what the model's block takes; its values do not matter, and a batch of one
     *     will do
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public PactQuantizer(
            Model model,
            ConfigList config,
            Optimizer optimizer,
            QuantizerOptions options,
            NDList dummyInput) {
        super(
                new PactAlgorithm(),
                model,
                config,
                optimizer,
                options,
                GraphTracer.trace(model, dummyInput));
    }
}
