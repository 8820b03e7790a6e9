package org.nni4j.graph;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nni4j.layer.Attachment;
import org.nni4j.layer.LayerTree;

/**
 * Records the operators of one forward pass as a {@link Graph}.
 *
 * <p>The network is not rewritten, and nothing of it is changed: the pass runs on copies of the
 * parameters and of the inputs, and draws no random numbers. During the pass each layer has a
 * wrapper in its slot that says which layer is running; other threads may go on predicting. The
 * copies, and all intermediate arrays, are freed before the trace returns.
 */
public final class GraphTracer {

    private final boolean training;
    private final @Nullable DataType dataType;
    private final @Nullable NDManager initializer;

    private GraphTracer(Builder builder) {
        training = builder.training;
        dataType = builder.dataType;
        initializer = builder.initializer;
    }

    /**
     * Traces an inference pass of a model.
     *
     * @param model with an initialized block
     * @param inputs dummy inputs; left as they are
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public static Graph trace(Model model, NDList inputs) {
        return builder().build().traceModel(model, inputs);
    }

    /**
     * Traces an inference pass of a model on inputs of the given shapes.
     *
     * @param model with an initialized block
     * @param shapes without unknown dimensions; the inputs are of the parameters' floating type
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public static Graph trace(Model model, Shape... shapes) {
        return builder().build().traceModel(model, shapes);
    }

    /**
     * Traces an inference pass of a block.
     *
     * @param block initialized
     * @param inputs dummy inputs; left as they are
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public static Graph trace(Block block, NDList inputs) {
        return builder().build().traceBlock(block, inputs);
    }

    /**
     * Traces an inference pass of a block on inputs of the given shapes.
     *
     * @param block initialized
     * @param shapes without unknown dimensions; the inputs are of the parameters' floating type
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public static Graph trace(Block block, Shape... shapes) {
        return builder().build().traceBlock(block, shapes);
    }

    /**
     * Starts a tracer with other settings.
     *
     * @return a builder for an inference tracer
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Traces a pass of a model.
     *
     * @param model whose block is traced
     * @param inputs dummy inputs; left as they are
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public Graph traceModel(Model model, NDList inputs) {
        return run(model.getBlock(), LayerTree.of(model), given(inputs));
    }

    /**
     * Traces a pass of a model on inputs of the given shapes.
     *
     * @param model whose block is traced
     * @param shapes without unknown dimensions
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public Graph traceModel(Model model, Shape... shapes) {
        return run(model.getBlock(), LayerTree.of(model), made(shapes));
    }

    /**
     * Traces a pass of a block.
     *
     * @param block the root
     * @param inputs dummy inputs; left as they are
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public Graph traceBlock(Block block, NDList inputs) {
        return run(block, LayerTree.of(block), given(inputs));
    }

    /**
     * Traces a pass of a block on inputs of the given shapes.
     *
     * @param block the root
     * @param shapes without unknown dimensions
     * @return the graph
     * @throws IllegalStateException if a parameter is not initialized, or if the pass fails; the
     *     message names the layer
     */
    public Graph traceBlock(Block block, Shape... shapes) {
        return run(block, LayerTree.of(block), made(shapes));
    }

    private static DummyInputs given(NDList inputs) {
        return new DummyInputs(List.of(inputs.getShapes()), inputs, null);
    }

    private DummyInputs made(Shape... shapes) {
        return new DummyInputs(List.of(shapes), null, dataType);
    }

    private Graph run(Block root, LayerTree tree, DummyInputs inputs) {
        if (tree.isAttached()) {
            throw new IllegalStateException(
                    "the network is quantized; trace it before compress, or after its export"
                            + " restored it");
        }
        if (initializer != null) {
            DataType type = dataType == null ? DataType.FLOAT32 : dataType;
            root.initialize(initializer, type, inputs.shapes().toArray(Shape[]::new));
        }
        NetworkNames names = NetworkNames.of(tree);
        names.checkInitialized();
        try (NDManager manager = inputs.newManager(names.floatingParameter())) {
            TraceRecorder recorder = new TraceRecorder();
            NDList dummies = new NDList();
            inputs.arrays(manager, names.floatingParameter())
                    .forEach(copy -> dummies.add(recorder.input(copy)));
            TracingParameterStore store =
                    new TracingParameterStore(recorder, manager, names.parameters());
            Attachment wrappers = PathWrappers.attach(tree, names.rootBlock(), recorder);
            try {
                NDList outputs =
                        recorder.within(
                                names.rootPath(),
                                names.rootType(),
                                () -> root.forward(store, dummies, training));
                return recorder.graph(outputs, training);
            } catch (RuntimeException e) {
                throw new IllegalStateException(
                        recorder.path().failed() + " failed in the traced pass: " + e.getMessage(),
                        e);
            } finally {
                wrappers.detach();
            }
        }
    }

    /** Settings of a tracer. */
    public static final class Builder {

        private boolean training;
        private @Nullable DataType dataType;
        private @Nullable NDManager initializer;

        private Builder() {}

        /**
         * Traces a training pass: BatchNorm computes batch statistics, on copies of its running
         * ones, and dropout is recorded but drops nothing.
         *
         * @param value false by default
         * @return this
         */
        public Builder optTraining(boolean value) {
            training = value;
            return this;
        }

        /**
         * Sets the type of inputs that are given as shapes.
         *
         * @param value by default the type of the network's first floating parameter
         * @return this
         */
        public Builder optDataType(DataType value) {
            dataType = value;
            return this;
        }

        /**
         * Initializes the network before the trace where it is not. This changes the network.
         *
         * @param manager owns the new parameters
         * @return this
         */
        public Builder optInitialize(NDManager manager) {
            initializer = manager;
            return this;
        }

        /**
         * Makes the tracer.
         *
         * @return a tracer that can be used again
         */
        public GraphTracer build() {
            return new GraphTracer(this);
        }
    }
}
