package org.nni4j.layer;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A block that stands in another's place and sees every forward pass through it.
 *
 * <p>All else is the inner block's: children, parameters and their names, saved bytes,
 * initialization. Subclasses override {@link #intercept} and call {@link #proceed} in it.
 */
public abstract class LayerWrapper implements Block {

    private final Block inner;

    /** Labels of the pass this thread is in; only there while {@link #intercept} runs. */
    @SuppressWarnings("ThreadLocalUsage") // one for each wrapper: layers run inside one another
    private final ThreadLocal<@Nullable NDList> labels = new ThreadLocal<>();

    /**
     * Wraps a block.
     *
     * @param inner the block to stand for
     */
    protected LayerWrapper(Block inner) {
        this.inner = inner;
    }

    /**
     * Returns the block this one stands for.
     *
     * @return as given to the constructor
     */
    public final Block inner() {
        return inner;
    }

    /**
     * Runs one forward pass. Both forms of {@code forward} end here, that with labels as a training
     * pass.
     *
     * @param parameterStore where the block fetches its parameters
     * @param inputs the layer's inputs
     * @param training true for a training pass
     * @param params optional parameters of the pass
     * @return the layer's outputs
     */
    protected NDList intercept(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        return proceed(parameterStore, inputs, training, params);
    }

    /**
     * Runs the inner block. To be called from {@link #intercept}, on the same thread: labels the
     * pass came with are handed on then, which calling {@code inner().forward} would lose.
     *
     * @param parameterStore where the block fetches its parameters
     * @param inputs the layer's inputs
     * @param training true for a training pass
     * @param params optional parameters of the pass
     * @return the inner block's outputs
     */
    protected final NDList proceed(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDList passLabels = labels.get();
        return passLabels == null
                ? inner.forward(parameterStore, inputs, training, params)
                : inner.forward(parameterStore, inputs, passLabels, params);
    }

    @Override
    public final NDList forward(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        return intercept(parameterStore, inputs, training, params);
    }

    @Override
    public final NDList forward(
            ParameterStore parameterStore,
            NDList data,
            NDList passLabels,
            @Nullable PairList<String, Object> params) {
        NDList outer = labels.get();
        labels.set(passLabels);
        try {
            return intercept(parameterStore, data, true, params);
        } finally {
            if (outer == null) {
                labels.remove();
            } else {
                labels.set(outer);
            }
        }
    }

    @Override
    public final void setInitializer(Initializer initializer, Parameter.Type type) {
        inner.setInitializer(initializer, type);
    }

    @Override
    public final void setInitializer(Initializer initializer, String paramName) {
        inner.setInitializer(initializer, paramName);
    }

    @Override
    public final void setInitializer(Initializer initializer, Predicate<Parameter> predicate) {
        inner.setInitializer(initializer, predicate);
    }

    @Override
    public final void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
        inner.initialize(manager, dataType, inputShapes);
    }

    @Override
    public final boolean isInitialized() {
        return inner.isInitialized();
    }

    @Override
    public final void cast(DataType dataType) {
        inner.cast(dataType);
    }

    @Override
    public final void clear() {
        inner.clear();
    }

    @Override
    public final PairList<String, Shape> describeInput() {
        return inner.describeInput();
    }

    @Override
    public final BlockList getChildren() {
        return inner.getChildren();
    }

    @Override
    public final ParameterList getDirectParameters() {
        return inner.getDirectParameters();
    }

    @Override
    public final ParameterList getParameters() {
        return inner.getParameters();
    }

    @Override
    public final Shape[] getOutputShapes(Shape[] inputShapes) {
        return inner.getOutputShapes(inputShapes);
    }

    @Override
    public final Shape[] getOutputShapes(Shape[] inputShapes, DataType[] inputDataTypes) {
        return inner.getOutputShapes(inputShapes, inputDataTypes);
    }

    @Override
    public final Shape[] getInputShapes() {
        return inner.getInputShapes();
    }

    @Override
    public final DataType[] getOutputDataTypes() {
        return inner.getOutputDataTypes();
    }

    @Override
    public final void saveParameters(DataOutputStream os) throws IOException {
        inner.saveParameters(os);
    }

    @Override
    public final void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        inner.loadParameters(manager, is);
    }

    @Override
    public final void freezeParameters(boolean freeze) {
        inner.freezeParameters(freeze);
    }

    @Override
    public final void freezeParameters(boolean freeze, Predicate<Parameter> predicate) {
        inner.freezeParameters(freeze, predicate);
    }

    @Override
    public final Map<String, String> getCustomMetadata() {
        return inner.getCustomMetadata();
    }

    /** What the inner block says. */
    @Override
    public String toString() {
        return inner.toString();
    }
}
