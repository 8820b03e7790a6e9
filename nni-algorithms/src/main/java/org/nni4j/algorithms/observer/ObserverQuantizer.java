package org.nni4j.algorithms.observer;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nni4j.calibration.CalibratedLayer;
import org.nni4j.calibration.CalibrationConfig;
import org.nni4j.compression.Quantizer;
import org.nni4j.compression.QuantizerOptions;
import org.nni4j.config.ConfigList;
import org.nni4j.graph.Graph;
import org.nni4j.graph.GraphTracer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Quantizes a trained model without training it; see {@link ObserverAlgorithm}.
 *
 * <pre>{@code
 * ObserverQuantizer quantizer = new ObserverQuantizer(model, configList);
 * quantizer.calibrate(dataset, 100);
 * quantizer.compress();
 * quantizer.exportModel(Path.of("out/lenet"), Path.of("out/lenet-calibration.json"));
 * }</pre>
 *
 * <p>Instead of {@link #calibrate}, {@link #observe()} can be called and the model be run on any
 * data in evaluation mode.
 */
public final class ObserverQuantizer extends Quantizer {

    private static final Logger logger = LoggerFactory.getLogger(ObserverQuantizer.class);

    private final Observation observation;
    private boolean compressed;

    /**
     * Makes a quantizer with standard options; the model is only read.
     *
     * @param model has a block, initialized
     * @param config what to quantize
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public ObserverQuantizer(Model model, ConfigList config) {
        this(model, config, QuantizerOptions.standard());
    }

    /**
     * Makes a quantizer from a config list written as maps; the model is only read.
     *
     * @param model has a block, initialized
     * @param config what to quantize
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public ObserverQuantizer(Model model, List<? extends Map<String, ?>> config) {
        this(model, ConfigList.fromMaps(config));
    }

    /**
     * Makes a quantizer; the model is only read.
     *
     * @param model has a block, initialized
     * @param config what to quantize
     * @param options everything else
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public ObserverQuantizer(Model model, ConfigList config, QuantizerOptions options) {
        this(new ObserverAlgorithm(), model, config, options, null);
    }

    /**
     * Makes a quantizer that sees functional operators too: the model is traced with a dummy input.
     * It is only read.
     *
     * @param model has an initialized block
     * @param config what to quantize
     * @param dummyInput what the model's block takes; its values do not matter, and a batch of one
     *     will do
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public ObserverQuantizer(Model model, ConfigList config, NDList dummyInput) {
        this(model, config, QuantizerOptions.standard(), dummyInput);
    }

    /**
     * Makes a quantizer that sees functional operators too: the model is traced with a dummy input.
     * It is only read.
     *
     * @param model has an initialized block
     * @param config what to quantize
     * @param options everything else
     * @param dummyInput what the model's block takes; its values do not matter, and a batch of one
     *     will do
     * @throws org.nni4j.config.ConfigException listing everything the config list asks that cannot
     *     be done
     */
    public ObserverQuantizer(
            Model model, ConfigList config, QuantizerOptions options, NDList dummyInput) {
        this(new ObserverAlgorithm(), model, config, options, GraphTracer.trace(model, dummyInput));
    }

    private ObserverQuantizer(
            ObserverAlgorithm algorithm,
            Model model,
            ConfigList config,
            QuantizerOptions options,
            @Nullable Graph graph) {
        super(algorithm, model, config, null, options, graph);
        this.observation = algorithm.observation();
    }

    /**
     * Puts observers into the model. It computes in float as before, and every evaluation forward
     * is observed until {@link #compress()}; a training forward is refused.
     *
     * @return the model
     * @throws IllegalStateException if observation has ended: by {@link #compress()}, {@link
     *     #calibration()}, an export, or because what was loaded was calibrated
     */
    public Model observe() {
        if (observation.isEnded()) {
            throw new IllegalStateException(
                    "the observation has ended, with compress(), calibration(), an export, or a"
                            + " calibration or checkpoint that was loaded; make a new quantizer to"
                            + " calibrate anew");
        }
        if (!isCompressed()) {
            super.compress();
        }
        return model();
    }

    /**
     * Runs the model on a data set in evaluation mode, observed. If that fails, what was observed
     * is as it was before.
     *
     * @param dataset gives the inputs; about a hundred examples are enough
     * @param examples stop when that many were seen, at the end of a batch
     * @return the number of examples seen
     * @throws IOException if the data cannot be read
     * @throws TranslateException if the data cannot be processed
     * @throws IllegalArgumentException if examples is not positive
     * @throws IllegalStateException if observation has ended, see {@link #observe()}
     */
    public long calibrate(Dataset dataset, long examples) throws IOException, TranslateException {
        if (examples < 1) {
            throw new IllegalArgumentException(examples + " examples; expected 1 or more");
        }
        observe();
        Runnable back = remember();
        try {
            return observe(dataset, examples);
        } catch (IOException | TranslateException | RuntimeException e) {
            back.run();
            throw e;
        }
    }

    private long observe(Dataset dataset, long examples) throws IOException, TranslateException {
        long seen = 0;
        try (NDManager scope = model().getNDManager().newSubManager()) {
            dataset.prepare();
            for (Batch batch : dataset.getData(scope)) {
                try (batch;
                        NDManager pass = scope.newSubManager()) {
                    ParameterStore store = new ParameterStore(pass, false);
                    model().getBlock().forward(store, batch.getData(), false).close();
                    seen += batch.getSize();
                }
                if (seen >= examples) {
                    break;
                }
            }
        }
        return seen;
    }

    /**
     * Takes over what another quantizer observed, for instance of another part of the data on
     * another thread: the calibration is then what it would be had all data been observed here,
     * count for count; moving averages ({@code ema}) take the other's batches as the later ones,
     * and agree to rounding.
     *
     * @param other of a copy of this network and an equal config list, still observing; left as it
     *     is
     * @throws IllegalArgumentException naming the first difference, if it is of another network or
     *     quantizes it otherwise; then nothing is changed
     * @throws IllegalStateException if either observation has ended, see {@link #observe()}, or the
     *     other's has not begun
     */
    public void merge(ObserverQuantizer other) {
        if (other == this) {
            throw new IllegalArgumentException("a quantizer cannot be merged into itself");
        }
        if (other.observation.isEnded()) {
            throw new IllegalStateException("the other quantizer's observation has ended");
        }
        observe();
        withEachOf(
                other,
                (own, theirs) -> ((ObservingQuantizer) own).merge((ObservingQuantizer) theirs));
    }

    /**
     * Ends the observation: from now on the model is quantized. Inputs and outputs that saw no data
     * are named in the log; they stay float until a calibration is loaded.
     *
     * @return the model, now quantized
     * @throws IllegalStateException if the model is quantized already, or this quantizer is closed
     */
    @Override
    public Model compress() {
        boolean attaching = !isCompressed();
        if (attaching) {
            super.compress();
        } else if (compressed && observation.isEnded()) {
            throw new IllegalStateException("the model is quantized already");
        }
        try {
            warnOfUnobserved(calibration());
        } catch (RuntimeException e) {
            if (attaching) {
                restore();
            }
            throw e;
        }
        compressed = true;
        return model();
    }

    private static void warnOfUnobserved(CalibrationConfig calibration) {
        List<String> unobserved =
                calibration.layers().stream()
                        .filter(layer -> !layer.unobserved().isEmpty())
                        .map(CalibratedLayer::path)
                        .toList();
        if (!unobserved.isEmpty()) {
            logger.warn("no data was seen by layers {}; their tensors stay float", unobserved);
        }
    }

    /**
     * Returns how the model is quantized, and ends the observation, as {@link #compress()} does.
     *
     * @return every quantized tensor that has seen data
     * @throws IllegalStateException if neither {@link #observe()} nor {@link #compress()} was ever
     *     called, or naming the first layer whose range or weight is NaN or infinite; the
     *     observation then goes on
     */
    @Override
    public CalibrationConfig calibration() {
        CalibrationConfig calibration = super.calibration();
        // Where no tensor has arrived yet, there is no point that could have ended it.
        observation.end();
        return calibration;
    }

    /**
     * Takes a calibration over, which ends the observation: inputs and outputs that it does not
     * hold stay float.
     *
     * @param calibration of a network with the same layers, quantized alike
     * @throws org.nni4j.config.ConfigException listing every layer or tensor that is missing,
     *     unknown or quantized otherwise; then nothing is changed
     * @throws IllegalStateException if neither {@link #observe()} nor {@link #compress()} was
     *     called
     */
    @Override
    public void loadCalibration(CalibrationConfig calibration) {
        super.loadCalibration(calibration);
        observation.end();
    }
}
