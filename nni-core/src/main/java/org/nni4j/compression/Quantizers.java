package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.training.optimizer.Optimizer;
import org.jspecify.annotations.Nullable;
import org.nni4j.algorithm.Algorithms;
import org.nni4j.config.ConfigList;
import org.nni4j.graph.Graph;

/** Makes quantizers by their algorithm's name, as found on the class path. */
public final class Quantizers {

    private Quantizers() {}

    /**
     * Makes a quantizer with standard options.
     *
     * @param algorithm a name, for instance {@code "qat"}
     * @param model has a block, initialized or not; only read
     * @param config what to quantize
     * @param optimizer the user's optimizer; null for algorithms that do not train
     * @return a new quantizer; the caller closes it
     * @throws IllegalArgumentException if no algorithm has that name; the message lists those there
     *     are
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public static Quantizer create(
            String algorithm, Model model, ConfigList config, @Nullable Optimizer optimizer) {
        return create(algorithm, model, config, optimizer, QuantizerOptions.standard(), null);
    }

    /**
     * Makes a quantizer for a model that was not traced.
     *
     * @param algorithm a name, for instance {@code "qat"}
     * @param model has a block, initialized or not; only read
     * @param config what to quantize
     * @param optimizer the user's optimizer; null for algorithms that do not train
     * @param options everything else
     * @return a new quantizer; the caller closes it
     * @throws IllegalArgumentException if no algorithm has that name; the message lists those there
     *     are
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public static Quantizer create(
            String algorithm,
            Model model,
            ConfigList config,
            @Nullable Optimizer optimizer,
            QuantizerOptions options) {
        return create(algorithm, model, config, optimizer, options, null);
    }

    /**
     * Makes a quantizer.
     *
     * @param algorithm a name, for instance {@code "qat"}
     * @param model has a block, initialized or not; only read
     * @param config what to quantize
     * @param optimizer the user's optimizer; null for algorithms that do not train
     * @param options everything else
     * @param graph the model as traced with a dummy input, for BatchNorm folding; null if it was
     *     not
     * @return a new quantizer; the caller closes it
     * @throws IllegalArgumentException if no algorithm has that name; the message lists those there
     *     are
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public static Quantizer create(
            String algorithm,
            Model model,
            ConfigList config,
            @Nullable Optimizer optimizer,
            QuantizerOptions options,
            @Nullable Graph graph) {
        return new Quantizer(Algorithms.find(algorithm), model, config, optimizer, options, graph);
    }
}
