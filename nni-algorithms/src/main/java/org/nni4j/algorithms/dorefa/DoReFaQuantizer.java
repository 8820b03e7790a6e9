package org.nni4j.algorithms.dorefa;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.training.optimizer.Optimizer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;

/**
 * Trains a model by DoReFa-Net; see {@link DoReFaAlgorithm}.
 *
 * <pre>{@code
 * DoReFaQuantizer quantizer = new DoReFaQuantizer(model, configList, optimizer);
 * quantizer.compress();
 * // train model with new DefaultTrainingConfig(loss).optOptimizer(quantizer.optimizer())
 * quantizer.exportModel(Path.of("out/lenet"), Path.of("out/lenet-calibration.json"));
 * }</pre>
 */
public final class DoReFaQuantizer extends Quantizer {

    private final GradientCuts cuts;

    /**
     * Makes a quantizer with standard options; the model is only read.
     *
     * @param model has a block, initialized or not
     * @param config what to quantize
     * @param optimizer the user's optimizer; train with {@link #optimizer()}
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public DoReFaQuantizer(Model model, ConfigList config, Optimizer optimizer) {
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
    public DoReFaQuantizer(
            Model model, List<? extends Map<String, ?>> config, Optimizer optimizer) {
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
    public DoReFaQuantizer(
            Model model, ConfigList config, Optimizer optimizer, QuantizerOptions options) {
        this(new DoReFaAlgorithm(true), model, config, optimizer, options, null);
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
    public DoReFaQuantizer(Model model, ConfigList config, Optimizer optimizer, NDList dummyInput) {
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
    public DoReFaQuantizer(
            Model model,
            ConfigList config,
            Optimizer optimizer,
            QuantizerOptions options,
            NDList dummyInput) {
        this(
                new DoReFaAlgorithm(true),
                model,
                config,
                optimizer,
                options,
                GraphTracer.trace(model, dummyInput));
    }

    private DoReFaQuantizer(
            DoReFaAlgorithm algorithm,
            Model model,
            ConfigList config,
            Optimizer optimizer,
            QuantizerOptions options,
            @Nullable Graph graph) {
        super(algorithm, model, config, optimizer, options, graph);
        this.cuts = algorithm.cuts();
    }

    /**
     * Returns what lets quantized gradients reach the layers before them; give it to {@code
     * DefaultTrainingConfig.addTrainingListeners} where a config entry sets {@code
     * output_gradient}. It works with {@code EasyTrain.trainBatch}; loops of one's own call {@link
     * #proceedBackward()}.
     *
     * @return a listener
     */
    public TrainingListener gradientListener() {
        return new TrainingListenerAdapter() {
            @Override
            public void onTrainingBatch(Trainer trainer, BatchData batchData) {
                proceedBackward();
            }
        };
    }

    /**
     * Runs the rest of a backward pass that stopped where gradients are quantized: after {@code
     * GradientCollector.backward}, when the collector is closed, and before the optimizer's step.
     * Does nothing if no pass stopped.
     *
     * @throws IllegalStateException if arrays of a pass that stopped are closed already; that pass
     *     is then forgotten
     */
    public void proceedBackward() {
        cuts.proceed();
    }

    /**
     * Forgets a pass that failed before {@link #proceedBackward()}, so that another can be run in
     * the same step. What its gradients reached already stays in them.
     */
    public void discardBackward() {
        cuts.discard();
    }
}
