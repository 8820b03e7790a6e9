package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.nni4j.calibration.TensorCalibration;

/**
 * What sits at one quantization point of a network: it sees a tensor, and returns it
 * fake-quantized.
 *
 * <p>A weight arrives as an alias of the master weight (or as the folded weight), attached to the
 * forward pass's own manager, so results and temporaries may stay on the manager of the tensor
 * given.
 *
 * <p>Implementations guard their state: data-parallel training calls {@link #quantize} from several
 * threads.
 */
public interface TensorQuantizer extends AutoCloseable {

    /**
     * Fake-quantizes.
     *
     * @param tensor any floating shape
     * @param context the pass
     * @return same shape and type, owned by the tensor's manager; the tensor itself where nothing
     *     is quantized
     */
    NDArray quantize(NDArray tensor, ForwardContext context);

    /**
     * Returns a number that changes whenever evaluation would quantize an unchanged weight
     * otherwise than before: with a restored calibration, for instance. Changes of the {@link
     * #learnedParameters()} are noticed by themselves. A layer may then use one result for several
     * passes. Only asked of quantizers of weights.
     *
     * @return empty where more than the weight and this number decides, or nothing is to be reused
     */
    default OptionalLong revision() {
        return OptionalLong.empty();
    }

    /**
     * Tells whether in training the result's gradient is the weight's everywhere and backward keeps
     * nothing for it, as with a copy; one result can then take part in several backward passes.
     * Only asked of quantizers with a {@link #revision()}.
     *
     * @return false if that is not certain
     */
    default boolean passesGradient() {
        return false;
    }

    /**
     * Called with the (folded) weight as it stands now, before its calibration is read. Weights
     * change after the last forward; what is exported must describe what is exported.
     *
     * @param weight as {@link #quantize} would get it
     */
    default void describe(NDArray weight) {}

    /**
     * Returns what was found out so far, as written by export.
     *
     * @return empty before any data was seen
     */
    Optional<TensorCalibration> calibration();

    /**
     * Takes a calibration over. Evaluation then gives bit-identical outputs; further training goes
     * on from it.
     *
     * @param calibration bits, dtype and scheme equal this point's
     */
    void restore(TensorCalibration calibration);

    /**
     * Returns everything needed to go on exactly: ranges, flags, counters. Learned parameters are
     * part of it.
     *
     * @return a snapshot
     */
    QuantizerState state();

    /**
     * Goes back to a snapshot, whatever was seen since.
     *
     * @param state from a quantizer of the same algorithm and settings, which may have seen no data
     *     yet
     * @throws IllegalArgumentException if a value is missing or of another length
     */
    void load(QuantizerState state);

    /**
     * Returns the parameters that are trained with the network, for instance LSQ's step sizes.
     *
     * @return empty for most algorithms
     */
    default List<Parameter> learnedParameters() {
        return List.of();
    }

    /**
     * Returns the learning rate of the {@link #learnedParameters()}, as a multiple of the
     * optimizer's.
     *
     * @return positive; 1 for the optimizer's own
     */
    default float learningRateMultiple() {
        return 1;
    }

    /**
     * Called before the optimizer updates one of the {@link #learnedParameters()}, for instance to
     * add a weight decay of its own.
     *
     * @param learned the parameter
     * @param value its value on one device
     * @param gradient a copy of its gradient, to be changed in place; closed after the update
     */
    default void beforeUpdate(Parameter learned, NDArray value, NDArray gradient) {}

    /**
     * Called after the optimizer updated one of the {@link #learnedParameters()}, for instance to
     * keep it positive.
     *
     * @param learned the parameter
     * @param value its value on one device, to be changed in place
     */
    default void afterUpdate(Parameter learned, NDArray value) {}

    /**
     * Called after the optimizer updated the master weight this quantizer reads, for instance to
     * clamp it in place; not in steps before the start step, which are the float network's.
     *
     * @param master the master weight just updated
     */
    default void afterUpdate(NDArray master) {}

    @Override
    void close();
}
